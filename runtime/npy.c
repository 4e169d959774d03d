/* .npy files, as numpy/lib/format.py defines them: magic, version, header length, a Python dict literal with exactly the keys
 * descr, fortran_order and shape, then the values. The reader takes only what convsmith can use and believes nothing: memory grows
 * with the bytes that are really there, whatever the header claims. POSIX (for a temporary file that is surely new). */
#include "convsmith.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NPY_ALIGN = 64, NPY_MAX_HEADER = 1 << 16, NPY_MAX_WRITTEN = 512 };
static const char npy_magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

static int npy_is_little_endian(void) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  return first;
}

/* ---- the header's dict ------------------------------------------------------------------------------------------ */

struct npy_header {
  const char *at; /* what is still to be read, NUL-terminated */
  int seen;       /* keys so far, a bit each */
  int swapped;    /* values are in the other byte order */
  struct cs_npy *array;
};

static void npy_skip_spaces(struct npy_header *header) {
  header->at += strspn(header->at, " \t\n");
}

/* Takes `word` if it comes next, spaces before it aside. */
static int npy_take(struct npy_header *header, const char *word) {
  npy_skip_spaces(header);
  const size_t length = strlen(word);
  if (strncmp(header->at, word, length) != 0) return 0;
  header->at += length;
  return 1;
}

/* Takes a string in either kind of quotes, without escapes, of at most size - 1 bytes. */
static int npy_take_string(struct npy_header *header, char *text, size_t size) {
  npy_skip_spaces(header);
  const char quote = *header->at;
  if (quote != '\'' && quote != '"') return 0;
  const char *begin = header->at + 1, *end = strchr(begin, quote);
  if (!end || (size_t)(end - begin) >= size) return 0;
  memcpy(text, begin, (size_t)(end - begin));
  text[end - begin] = 0;
  header->at = end + 1;
  return 1;
}

static const char *npy_read_descr(struct npy_header *header) {
  char text[8];
  const char *const wrong = "the type is not float32 or float64";
  if (!npy_take_string(header, text, sizeof text)) return wrong;
  if ((text[0] != '<' && text[0] != '>') || (strcmp(text + 1, "f4") != 0 && strcmp(text + 1, "f8") != 0)) return wrong;
  header->swapped = (text[0] == '<') != npy_is_little_endian();
  header->array->dtype = text[2] == '4' ? CS_F32 : CS_F64;
  return NULL;
}

static const char *npy_read_order(struct npy_header *header) {
  if (npy_take(header, "True")) return "the array is in Fortran order, not in C order";
  return npy_take(header, "False") ? NULL : "fortran_order is not True or False";
}

/* A decimal size without sign or leading zeros. */
static const char *npy_read_size(struct npy_header *header, ptrdiff_t *size) {
  npy_skip_spaces(header);
  const char *digits = header->at;
  const size_t length = strspn(digits, "0123456789");
  if (*digits == '-') return "a size in the shape is negative";
  if (length == 0 || (length > 1 && *digits == '0')) return "the shape is not a tuple of sizes";
  *size = 0;
  for (size_t i = 0; i < length; i++) {
    const ptrdiff_t digit = digits[i] - '0';
    if (*size > (PTRDIFF_MAX - digit) / 10) return "the shape is too large for memory";
    *size = *size * 10 + digit;
  }
  header->at += length;
  return NULL;
}

/* A Python tuple: (), (a,), (a, b), (a, b,). */
static const char *npy_read_shape(struct npy_header *header) {
  struct cs_npy *array = header->array;
  const char *error;
  if (!npy_take(header, "(")) return "the shape is not a tuple of sizes";
  int comma = 1;
  while (!npy_take(header, ")")) {
    if (!comma) return "the shape is not a tuple of sizes";
    if (array->rank == CS_MAX_RANK) return "the array has more than 8 dimensions";
    if ((error = npy_read_size(header, &array->shape[array->rank])) != NULL) return error;
    array->rank++;
    comma = npy_take(header, ",");
  }
  return array->rank == 1 && !comma ? "the shape is not a tuple of sizes" : NULL;
}

static const struct {
  const char *name;
  const char *(*read)(struct npy_header *);
} npy_keys[] = {{"descr", npy_read_descr}, {"fortran_order", npy_read_order}, {"shape", npy_read_shape}};

enum { NPY_KEYS = sizeof npy_keys / sizeof *npy_keys };

/* One `'key': value` of the dict. */
static const char *npy_read_pair(struct npy_header *header) {
  char name[16];
  int key = 0;
  if (!npy_take_string(header, name, sizeof name)) return "the header is not a dict with descr, fortran_order and shape";
  while (key < NPY_KEYS && strcmp(name, npy_keys[key].name) != 0) key++;
  if (key == NPY_KEYS) return "the header has a key other than descr, fortran_order and shape";
  if (header->seen & 1 << key) return "the header has a key twice";
  header->seen |= 1 << key;
  return npy_take(header, ":") ? npy_keys[key].read(header) : "the header is not a dict with descr, fortran_order and shape";
}

static const char *npy_read_dict(struct npy_header *header) {
  const char *const garbled = "the header is not a dict with descr, fortran_order and shape", *error;
  if (!npy_take(header, "{")) return garbled;
  int comma = 1;
  while (!npy_take(header, "}")) {
    if (!comma) return garbled;
    if ((error = npy_read_pair(header)) != NULL) return error;
    comma = npy_take(header, ",");
  }
  if (header->seen != (1 << NPY_KEYS) - 1) return "the header lacks descr, fortran_order or shape";
  npy_skip_spaces(header);
  return *header->at ? "there is more in the header than its dict" : NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const char *npy_short_read(FILE *file) {
  return ferror(file) ? "cannot be read" : "the file is truncated";
}

/* Magic, version and length, then the dict's text into `text`. */
static const char *npy_read_preamble(FILE *file, char text[NPY_MAX_HEADER + 1]) {
  unsigned char fixed[8], length[4] = {0};
  const size_t got = fread(fixed, 1, sizeof fixed, file);
  if (ferror(file)) return "cannot be read";
  if (got < sizeof npy_magic || memcmp(fixed, npy_magic, sizeof npy_magic) != 0) return "not a .npy file";
  if (got < sizeof fixed) return "the file is truncated";
  if (fixed[6] < 1 || fixed[6] > 3 || fixed[7] != 0) return "the .npy version is not 1.0, 2.0 or 3.0";
  const size_t width = fixed[6] == 1 ? 2 : 4;
  if (fread(length, 1, width, file) != width) return npy_short_read(file);
  const uint32_t size = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 | (uint32_t)length[3] << 24;
  if (size > NPY_MAX_HEADER) return "the header is longer than 65536 bytes";
  if (fread(text, 1, size, file) != size) return npy_short_read(file);
  text[size] = 0;
  return memchr(text, 0, size) ? "the header holds a NUL byte" : NULL;
}

/* The number of elements; zero if any dimension is, however large the others. */
static const char *npy_count(struct cs_npy *array) {
  const size_t most = PTRDIFF_MAX / cs_size(array->dtype);
  array->count = 0;
  for (int i = 0; i < array->rank; i++)
    if (array->shape[i] == 0) return NULL;
  array->count = 1;
  for (int i = 0; i < array->rank; i++) {
    const size_t size = (size_t)array->shape[i];
    if (array->count > most / size) return "the shape is too large for memory";
    array->count *= size;
  }
  return NULL;
}

/* All of the values, into memory that grows with what arrives. */
static const char *npy_read_values(FILE *file, struct cs_npy *array) {
  const size_t size = array->count * cs_size(array->dtype);
  size_t have = 0, room = size < 1 << 20 ? size : 1 << 20;
  while (1) {
    void *data = realloc(array->data, room ? room : 1);
    if (!data) return "out of memory";
    array->data = data;
    have += fread((char *)data + have, 1, room - have, file);
    if (have < room) return npy_short_read(file);
    if (have == size) break;
    room = room > size / 2 ? size : room * 2;
  }
  return fgetc(file) == EOF ? (ferror(file) ? "cannot be read" : NULL) : "there are bytes after the last value";
}

static void npy_swap(struct cs_npy *array) {
  const size_t size = cs_size(array->dtype);
  unsigned char *data = (unsigned char *)array->data;
  for (size_t i = 0; i < array->count; i++, data += size)
    for (size_t j = 0; j < size / 2; j++) {
      const unsigned char byte = data[j];
      data[j] = data[size - 1 - j];
      data[size - 1 - j] = byte;
    }
}

static const char *npy_read_file(FILE *file, char *text, struct cs_npy *array) {
  const char *error;
  struct npy_header header = {text, 0, 0, array};
  if ((error = npy_read_preamble(file, text)) != NULL) return error;
  if ((error = npy_read_dict(&header)) != NULL) return error;
  if ((error = npy_count(array)) != NULL) return error;
  if ((error = npy_read_values(file, array)) != NULL) return error;
  if (header.swapped) npy_swap(array);
  return NULL;
}

const char *cs_npy_read(const char *path, struct cs_npy *array) {
  memset(array, 0, sizeof *array);
  FILE *file = fopen(path, "rb");
  if (!file) return "cannot be opened";
  char *text = (char *)malloc(NPY_MAX_HEADER + 1);
  const char *error = text ? npy_read_file(file, text, array) : "out of memory";
  free(text);
  fclose(file);
  if (error) cs_npy_free(array);
  return error;
}

void cs_npy_free(struct cs_npy *array) {
  free(array->data);
  memset(array, 0, sizeof *array);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The whole header into `text`, padded so that the values are aligned. Returns its length. */
static size_t npy_print_header(const struct cs_npy *array, char text[NPY_MAX_WRITTEN]) {
  const size_t fixed = sizeof npy_magic + 4;
  char *dict = text + fixed;
  size_t length = (size_t)sprintf(dict, "{'descr': '%cf%d', 'fortran_order': False, 'shape': (", npy_is_little_endian() ? '<' : '>',
                                  array->dtype == CS_F32 ? 4 : 8);
  for (int i = 0; i < array->rank; i++)
    length += (size_t)sprintf(dict + length, i || array->rank == 1 ? "%s%jd%s" : "%s%jd", i ? ", " : "", (intmax_t)array->shape[i],
                              array->rank == 1 ? "," : "");
  length += (size_t)sprintf(dict + length, "), }");
  while ((fixed + length + 1) % NPY_ALIGN) dict[length++] = ' ';
  dict[length++] = '\n';
  memcpy(text, npy_magic, sizeof npy_magic);
  text[6] = 1;
  text[7] = 0;
  text[8] = (char)(length & 0xff);
  text[9] = (char)(length >> 8);
  return fixed + length;
}

static const char *npy_write_file(FILE *file, const struct cs_npy *array) {
  char header[NPY_MAX_WRITTEN];
  const size_t length = npy_print_header(array, header);
  const size_t size = cs_size(array->dtype);
  const int written = fwrite(header, 1, length, file) == length && fwrite(array->data, size, array->count, file) == array->count;
  return fclose(file) == 0 && written ? NULL : "cannot be written";
}

/* A new file beside `path`, its name in `name`. */
static FILE *npy_temporary(const char *path, char *name, size_t size) {
  snprintf(name, size, "%s.%ld.tmp", path, (long)getpid());
  const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
  return fd < 0 ? NULL : fdopen(fd, "wb");
}

static const char *npy_write_beside(const char *path, char *name, size_t size, const struct cs_npy *array) {
  FILE *file = npy_temporary(path, name, size);
  if (!file) return "cannot be created";
  const char *error = npy_write_file(file, array);
  if (!error && rename(name, path) != 0) error = "cannot be written";
  if (error) remove(name);
  return error;
}

const char *cs_npy_write(const char *path, const struct cs_npy *array) {
  struct stat status;
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) { /* /dev/stdout must stay what it is */
    FILE *file = fopen(path, "wb");
    return file ? npy_write_file(file, array) : "cannot be created";
  }
  const size_t size = strlen(path) + 32;
  char *name = (char *)malloc(size);
  const char *error = name ? npy_write_beside(path, name, size, array) : "out of memory";
  free(name);
  return error;
}
