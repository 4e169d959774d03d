/* The networks under specs/: every layer times its `# repeats: N` must give the published numbers of layers and multiply-adds. */
#include "../gen/mem.h"
#include "../gen/op.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_LAYERS = 64 };

/* The numbers behind `- name: NAME # repeats: N`, in order. */
static size_t read_repeats(const char *path, int *repeats) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  char line[256];
  size_t count = 0;
  while (fgets(line, sizeof line, file)) {
    if (!strstr(line, "- name: ")) continue;
    assert_in_range(count, 0, MOST_LAYERS - 1);
    assert_int_equal(sscanf(line, " - name: %*s # repeats: %d", &repeats[count]), 1);
    assert_in_range(repeats[count], 1, 100);
    count++;
  }
  fclose(file);
  return count;
}

static struct spec read_spec(const char *path) {
  static const char *const targets[] = {"scalar", NULL};
  struct spec_options options = {.prefix = "", .known_targets = targets};
  struct spec spec;
  struct diags diags = {0};
  if (!spec_read(path, &options, &spec, &diags)) {
    diag_flush(&diags);
    fail_msg("%s does not read", path);
  }
  return spec;
}

static bool same_layer(const struct layer *a, const struct layer *b) {
  const size_t axes = sizeof a->in;
  return a->in_channels == b->in_channels && a->out_channels == b->out_channels && a->groups == b->groups &&
         a->residual == b->residual && a->bias == b->bias && a->activation == b->activation && !memcmp(a->in, b->in, axes) &&
         !memcmp(a->kernel, b->kernel, axes) && !memcmp(a->stride, b->stride, axes) && !memcmp(a->dilation, b->dilation, axes);
}

static void assert_distinct(const struct spec *spec) {
  for (size_t i = 0; i < spec->count; i++)
    for (size_t j = 0; j < i; j++)
      if (same_layer(&spec->layers[i], &spec->layers[j])) fail_msg("%s is %s again", spec->layers[i].name, spec->layers[j].name);
}

struct model {
  const char *path;
  size_t distinct;
  int layers;
  int64_t multiply_adds;
};

static const struct model models[] = {
    {"specs/resnet50.yaml", 24, 53, 4087136256},   {"specs/mobilenetv2.yaml", 30, 52, 299494272},
    {"specs/vgg16.yaml", 9, 13, 15346630656},      {"specs/alexnet.yaml", 5, 5, 665784864},
    {"specs/deeplabv3.yaml", 32, 60, 50435832256}, {"specs/wavenet.yaml", 25, 203, 23756800000},
    {"specs/mobilenetv1.yaml", 10, 14, 567716352}, {"specs/xception.yaml", 10, 34, 7706331912},
    {"specs/c3d.yaml", 7, 8, 38496632832},         {"specs/lenet5.yaml", 3, 3, 405600},
};

static void published_numbers(void **state) {
  (void)state;
  for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
    const struct model *model = &models[m];
    struct spec spec = read_spec(model->path);
    int repeats[MOST_LAYERS], layers = 0;
    int64_t multiply_adds = 0;
    assert_int_equal(read_repeats(model->path, repeats), spec.count);
    for (size_t i = 0; i < spec.count; i++) {
      layers += repeats[i];
      multiply_adds += repeats[i] * spec.layers[i].op->multiply_adds(&spec.layers[i]);
    }
    print_message("%s: %zu layers, %d in all, %" PRId64 " multiply-adds\n", model->path, spec.count, layers, multiply_adds);
    assert_distinct(&spec);
    assert_int_equal(spec.count, model->distinct);
    assert_int_equal(layers, model->layers);
    assert_int_equal(multiply_adds, model->multiply_adds);
    mem_release(0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(published_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
