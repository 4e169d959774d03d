/* .npy files: what is read, what is refused and why, and what is written. */
#include "../runtime/convsmith.h"
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256], path[sizeof folder + 16];

static void write_bytes(const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

/* A file of version major.0 with this dict and `size` bytes of data (1.0F, -2.5F, 1.0F, ... in `swapped` order or not). */
static void write_npy(int major, const char *dict, size_t size, int swapped) {
  static const unsigned char little[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}, big[] = {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0};
  unsigned char bytes[1024] = "\x93NUMPY";
  const size_t length = strlen(dict), start = major == 1 ? 10 : 12;
  bytes[6] = (unsigned char)major;
  bytes[8] = (unsigned char)(length & 255);
  bytes[9] = (unsigned char)(length >> 8);
  memcpy(bytes + start, dict, length);
  for (size_t i = 0; i < size; i++) bytes[start + length + i] = (swapped ? big : little)[i % sizeof little];
  write_bytes(bytes, start + length + size);
}

static void check_two_floats(void) {
  struct cs_npy array;
  assert_null(cs_npy_read(path, &array));
  assert_int_equal(array.dtype, CS_F32);
  assert_int_equal(array.rank, 1);
  assert_int_equal(array.shape[0], 2);
  assert_int_equal(array.count, 2);
  assert_true(cs_get(array.data, 0, CS_F32) == 1 && cs_get(array.data, 1, CS_F32) == -2.5);
  cs_npy_free(&array);
  assert_null(array.data);
}

static void reads_every_spelling(void **state) {
  (void)state;
  write_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n", 8, 0);
  check_two_floats();
  write_npy(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, 0);
  check_two_floats();
  write_npy(3, "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\">f4\"}", 8, 1);
  check_two_floats();
}

static void reads_every_rank(void **state) {
  (void)state;
  struct cs_npy array;
  write_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, 0);
  assert_null(cs_npy_read(path, &array));
  assert_int_equal(array.rank, 0);
  assert_int_equal(array.count, 1);
  cs_npy_free(&array);
  write_npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 0, 9223372036854775807), }", 0, 0);
  assert_null(cs_npy_read(path, &array));
  assert_int_equal(array.rank, 3);
  assert_int_equal(array.count, 0);
  cs_npy_free(&array);
  write_npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2), }", 16, 0);
  assert_null(cs_npy_read(path, &array));
  assert_int_equal(array.rank, 8);
  assert_int_equal(array.count, 2);
  cs_npy_free(&array);
}

#define F4 "{'descr': '<f4', 'fortran_order': False, 'shape': "

static const struct {
  const char *dict;
  size_t size;
  const char *error;
} refused[] = {
    {F4 "(2,)}", 7, "the file is truncated"},
    {F4 "(2,)}", 0, "the file is truncated"},
    {F4 "(2,)}", 9, "there are bytes after the last value"},
    {F4 "(0,)}", 1, "there are bytes after the last value"},
    {F4 "(1152921504606846976,)}", 8, "the file is truncated"},
    {F4 "(4294967296, 4294967296)}", 8, "the shape is too large for memory"},
    {F4 "(3037000500, 3037000500)}", 8, "the shape is too large for memory"},
    {F4 "(9223372036854775808,)}", 8, "the shape is too large for memory"},
    {F4 "(99999999999999999999999999,)}", 8, "the shape is too large for memory"},
    {F4 "(-2,)}", 8, "a size in the shape is negative"},
    {F4 "(2, -1)}", 8, "a size in the shape is negative"},
    {F4 "(2)}", 8, "the shape is not a tuple of sizes"},
    {F4 "(02,)}", 8, "the shape is not a tuple of sizes"},
    {F4 "(2.0,)}", 8, "the shape is not a tuple of sizes"},
    {F4 "(,)}", 8, "the shape is not a tuple of sizes"},
    {F4 "(1 2)}", 8, "the shape is not a tuple of sizes"},
    {F4 "(2,,)}", 8, "the shape is not a tuple of sizes"},
    {F4 "[2]}", 8, "the shape is not a tuple of sizes"},
    {F4 "(2,", 8, "the shape is not a tuple of sizes"},
    {F4 "(1, 1, 1, 1, 1, 1, 1, 1, 2)}", 8, "the array has more than 8 dimensions"},
    {"{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': '<f4x', 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8, "the type is not float32 or float64"},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", 8, "the array is in Fortran order, not in C order"},
    {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", 8, "fortran_order is not True or False"},
    {"{'descr': '<f4', 'shape': (2,)}", 8, "the header lacks descr, fortran_order or shape"},
    {"{}", 8, "the header lacks descr, fortran_order or shape"},
    {F4 "(2,), 'order': 1}", 8, "the header has a key other than descr, fortran_order and shape"},
    {F4 "(2,), 'shape': (2,)}", 8, "the header has a key twice"},
    {F4 "(2,)} x", 8, "there is more in the header than its dict"},
    {F4 "(2,)", 8, "the header is not a dict with descr, fortran_order and shape"},
    {"{'descr': '<f4' 'fortran_order': False}", 8, "the header is not a dict with descr, fortran_order and shape"},
    {"{'descr' '<f4'}", 8, "the header is not a dict with descr, fortran_order and shape"},
    {"{'descr", 8, "the header is not a dict with descr, fortran_order and shape"},
    {"", 8, "the header is not a dict with descr, fortran_order and shape"},
};

static void refuses_wrong_headers(void **state) {
  (void)state;
  struct cs_npy array;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    write_npy(1, refused[i].dict, refused[i].size, 0);
    const char *error = cs_npy_read(path, &array);
    if (!error || strcmp(error, refused[i].error) != 0) fail_msg("%s: \"%s\"", refused[i].dict, error ? error : "no error");
    assert_null(array.data);
  }
}

static void check_bytes_refused(const void *bytes, size_t size, const char *error) {
  struct cs_npy array;
  write_bytes(bytes, size);
  assert_string_equal(cs_npy_read(path, &array), error);
}

static void refuses_other_files(void **state) {
  (void)state;
  struct cs_npy array;
  check_bytes_refused("", 0, "not a .npy file");
  check_bytes_refused("PK\3\4 an archive of arrays", 24, "not a .npy file");
  check_bytes_refused("\x93NUMPY", 6, "the file is truncated");
  check_bytes_refused("\x93NUMPY\1\0\x80", 9, "the file is truncated");
  check_bytes_refused("\x93NUMPY\1\0\xff\xff{'descr", 17, "the file is truncated");
  check_bytes_refused("\x93NUMPY\2\0\xff\xff\xff\xff{", 13, "the header is longer than 65536 bytes");
  check_bytes_refused("\x93NUMPY\4\0\2\0{}", 12, "the .npy version is not 1.0, 2.0 or 3.0");
  check_bytes_refused("\x93NUMPY\1\1\2\0{}", 12, "the .npy version is not 1.0, 2.0 or 3.0");
  check_bytes_refused("\x93NUMPY\1\0\3\0{}\0", 13, "the header holds a NUL byte");
  remove(path);
  assert_string_equal(cs_npy_read(path, &array), "cannot be opened");
  assert_string_equal(cs_npy_read("tests", &array), "cannot be read");
}

/* Cut anywhere, a file is refused. */
static void refuses_every_prefix(void **state) {
  (void)state;
  struct cs_npy array;
  write_npy(1, F4 "(2,)}\n", 8, 0);
  unsigned char bytes[256];
  FILE *file = fopen(path, "rb");
  const size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  for (size_t cut = 0; cut < size; cut++) {
    write_bytes(bytes, cut);
    assert_non_null(cs_npy_read(path, &array));
  }
}

static void written_files_come_back(void **state) {
  (void)state;
  static double data[300000];
  struct cs_npy array = {CS_F64, 3, {100, 1500, 2}, 300000, data}, back;
  cs_fill(data, 300000, CS_F64, CS_FILL_HOSTILE, 0, 2);
  assert_null(cs_npy_write(path, &array));
  assert_null(cs_npy_read(path, &back));
  assert_int_equal(back.rank, 3);
  assert_int_equal(back.shape[1], 1500);
  assert_memory_equal(back.data, data, sizeof data);
  cs_npy_free(&back);
}

/* Byte for byte what numpy.save writes. */
static void writes_as_numpy(void **state) {
  (void)state;
  float values[] = {1, -2.5F};
  const struct cs_npy array = {CS_F32, 1, {2}, 2, values};
  char bytes[256], expected[136] = "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  memset(expected + strlen(expected + 10) + 10, ' ', 128 - 10 - strlen(expected + 10));
  expected[127] = '\n';
  memcpy(expected + 128, values, sizeof values);
  assert_null(cs_npy_write(path, &array));
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof expected);
  fclose(file);
  assert_memory_equal(bytes, expected, sizeof expected);
}

static void failed_writes_leave_nothing(void **state) {
  (void)state;
  float value = 1;
  struct stat status;
  const struct cs_npy array = {CS_F32, 1, {1}, 1, &value};
  assert_string_equal(cs_npy_write("tests/no such folder/y.npy", &array), "cannot be created");
  assert_string_equal(cs_npy_write("tests", &array), "cannot be created");
  assert_string_equal(cs_npy_write("/dev/full", &array), "cannot be written");
  assert_null(cs_npy_write("/dev/null", &array));
  assert_int_equal(stat("/dev/null", &status), 0);
  assert_true(S_ISCHR(status.st_mode));
}

static int files_in_folder(void) {
  int count = 0;
  DIR *listing = opendir(folder);
  assert_non_null(listing);
  while (readdir(listing)) count++;
  closedir(listing);
  return count;
}

/* A disk that is full after 1000 bytes: the old file stays, and nothing beside it. */
static void an_interrupted_write_changes_nothing(void **state) {
  (void)state;
  static float values[1000];
  struct rlimit limit, small;
  const struct cs_npy array = {CS_F32, 1, {1000}, 1000, values};
  write_npy(1, F4 "(2,)}", 8, 0);
  const int before = files_in_folder();
  getrlimit(RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 1000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const char *error = cs_npy_write(path, &array);
  setrlimit(RLIMIT_FSIZE, &limit);
  assert_string_equal(error, "cannot be written");
  assert_int_equal(files_in_folder(), before);
  check_two_floats();
}

/* A new folder under $OUT/test, so that other tests may run at the same time. */
static int make_folder(void **state) {
  const char *out = getenv("OUT");
  (void)state;
  snprintf(folder, sizeof folder, "%s", out ? out : "out");
  mkdir(folder, 0777);
  strcat(folder, "/test");
  mkdir(folder, 0777);
  strcat(folder, "/npy.XXXXXX");
  if (!mkdtemp(folder)) return -1;
  snprintf(path, sizeof path, "%s/a.npy", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  remove(path);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_spelling),
      cmocka_unit_test(reads_every_rank),
      cmocka_unit_test(refuses_wrong_headers),
      cmocka_unit_test(refuses_other_files),
      cmocka_unit_test(refuses_every_prefix),
      cmocka_unit_test(written_files_come_back),
      cmocka_unit_test(writes_as_numpy),
      cmocka_unit_test(failed_writes_leave_nothing),
      cmocka_unit_test(an_interrupted_write_changes_nothing),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
