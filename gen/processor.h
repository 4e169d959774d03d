/* The processor that estimates of cost assume: one table for all algorithms. Registers, lanes and multiply-adds a cycle are the
 * instruction set's (isa.h); everything else is here, in cycles and bytes. It never is the machine that the program runs on, so
 * that equal input gives equal plans. The numbers are fitted to measured times of plans of about 100 layers under specs/; they
 * order plans, and tell times only roughly. */
#ifndef GEN_PROCESSOR_H
#define GEN_PROCESSOR_H

static const struct {
  double latency;          /* until an accumulator is ready for the next multiply-add */
  double loads;            /* a cycle, of a whole line each: vectors that cross lines count twice */
  double loads_narrow;     /* the same of vectors of less than a line, in tiles */
  double gather;           /* loads that each lane from a distant element amounts to */
  double load;             /* what each load costs beside multiply-adds that hide it */
  double call;             /* of a tile */
  double crowded;          /* factor of a tile that takes every register: compilers spill some */
  double crowded_patch;    /* the same of a patch */
  double widened;          /* factor of a tile whose operands are widened when loaded */
  double wide;             /* factor of multiply-adds where vectors stream through fewer rows */
  double span;             /* entering and leaving a loop of multiply-adds */
  double tap;              /* entering a loop over the taps of an outer axis, for each vector of a patch */
  double store;            /* of a vector to neighbouring elements */
  double put_by;           /* the same, and its load, while chunks of input channels still add to it */
  double store_lane;       /* of each lane of a vector to distant ones */
  double add_up;           /* of the lanes of a vector, and a store of the sum */
  double visit;            /* of a channel block to a band of rows */
  double l1, l2;           /* bytes that stay in the core, near the core */
  double panel;            /* bytes of weights that all tiles go through in turn, before l2 loses some to what passes by */
  double panel_passed;     /* the same where input and outputs are large */
  double from_l2, from_l3; /* of a byte that comes in one stream with others, while multiply-adds go on */
  double from_l2_narrow;   /* the same from l2 to vectors of less than a line */
  double there_and_back;   /* of a byte of sums that is read and written beyond l2 */
  double late;             /* share of weights that are fetched ahead which is still waited for */
  double late_x;           /* the same of input */
  double rows_from_l2;     /* of a byte of several rows: many short streams, which are not fetched ahead */
  double lines_from_l2;    /* of a byte of a patch's lines: each is a short stream, again for the next patch */
  double planes;           /* factor of input whose neighbouring channels are planes apart: nothing fetches it ahead */
  double line_apart;       /* of a line of outputs beyond l2 whose neighbours are written in another pass */
  double line_late;        /* the same, later in its band */
  double line_scattered;   /* the same where every lane goes to a line of its own */
  double transform;        /* of a vector, along one axis of a tile */
  double transpose;        /* of a vector, among as many as it has lanes */
  double to_l2;            /* of a byte that is written and leaves the nearest cache */
  double l3;               /* bytes that stay in the farthest cache */
  double stream;           /* of a byte of weights that comes from there and is used a few times only: the most that it gives */
  double from_memory;      /* the same beyond it */
  double piece;            /* bytes that the start of each piece amounts to, where input comes in pieces from beyond l2 */
  double line;             /* bytes */
  double on_the_way;       /* lines that can be fetched at once; more are fetched one at a time */
  double streams;          /* of lines, as many as are fetched ahead by themselves */
  double stray;            /* of a line, with each doubling of these */
  double page, ways;       /* of the nearest cache: bytes between lines of one set, and lines that a set has */
  double lost;             /* of a vector of a line that left it before it was used */
  double displaced;        /* of a lane that is stored where such lines are as many again as it holds */
} processor = {
    .latency = 4.7,
    .loads = 1.4,
    .loads_narrow = 1.8,
    .gather = 3,
    .load = 0.025,
    .call = 4,
    .crowded = 1.05,
    .crowded_patch = 1.045,
    .widened = 1.5,
    .wide = 1.06,
    .span = 7,
    .tap = 5,
    .store = 7,
    .put_by = 7,
    .store_lane = 1.5,
    .add_up = 6,
    .visit = 20,
    .l1 = 4.7e4,
    .l2 = 1.6e6,
    .panel = 4e5,
    .panel_passed = 2.3e5,
    .from_l2 = 1.0 / 50,
    .from_l3 = 1.0 / 20,
    .from_l2_narrow = 1.0 / 32,
    .there_and_back = 0.4,
    .late = 0.18,
    .late_x = 0.7,
    .rows_from_l2 = 1.0 / 75,
    .lines_from_l2 = 1.0 / 28,
    .planes = 2.5,
    .line_apart = 40,
    .line_late = 8,
    .line_scattered = 10,
    .transform = 1.5,
    .transpose = 4,
    .to_l2 = 1.0 / 17,
    .l3 = 2e7,
    .stream = 1.0 / 4.7,
    .from_memory = 1.0 / 2.5,
    .piece = 256,
    .line = 64,
    .on_the_way = 12,
    .streams = 4,
    .stray = 0.4,
    .page = 4096,
    .ways = 12,
    .lost = 5,
    .displaced = 7,
};

/* Lines, so many bytes apart, that the nearest cache holds. */
double processor_lines(double apart);
#endif
