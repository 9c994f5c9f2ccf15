/* test_plot.c - figures: ticks and numbers, the terminal plot, files, and every failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cenote/plot.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "plot/figure.h"

/* Fontconfig keeps what it has read about fonts until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

/* ---- axes --------------------------------------------------------------------------------- */

static void check_ticks(Range r, bool log, bool whole, int wanted, const char *expected)
{
    char all[MAX_TICKS * (NUMBER_ROOM + 1)] = "";
    Axis a;
    cn_axis_init(&a, r, 0, log, whole, wanted);
    for (int i = 0; i < a.n; i++) {
        assert_true(i == 0 || a.tick[i] > a.tick[i - 1]);
        strcat(strcat(all, i ? " " : ""), a.label[i]);
    }
    assert_string_equal(all, expected);
}

static void test_ticks(void **state)
{
    (void)state;
    check_ticks((Range){ 0, 1 }, false, false, 5, "0 0.2 0.4 0.6 0.8 1.0");
    check_ticks((Range){ -3, 7 }, false, false, 5, "-2 0 2 4 6");
    check_ticks((Range){ 1, 3 }, false, true, 6, "1 2 3");
    check_ticks((Range){ 0, 1e6 }, false, false, 5, "0 2e5 4e5 6e5 8e5 1e6");
    check_ticks((Range){ 0, 60000 }, false, false, 3, "0 20000 40000 60000");
    check_ticks((Range){ 0, 3e-7 }, false, false, 3, "0 1e-7 2e-7 3e-7");
    check_ticks((Range){ 1e9, 1e9 + 2 }, false, false, 2, "1000000000 1000000001 1000000002");
    check_ticks((Range){ 1, 1e4 }, true, false, 6, "1 10 100 1000 10000");
    check_ticks((Range){ 1e-6, 1 }, true, false, 4, "10⁻⁶ 10⁻⁴ 10⁻² 10⁰");
    check_ticks((Range){ 1, 20 }, true, false, 6, "1 2 5 10 20");
}

static void test_ranges_without_width(void **state)
{
    (void)state;
    check_ticks(cn_range_empty, false, false, 2, "0 0.5 1.0");
    check_ticks((Range){ 0, 0 }, false, false, 2, "-1 0 1");
    check_ticks((Range){ 5, 5 }, false, true, 4, "5");
    const double hard[] = { 1e300, -1e300, 1e-300, -1e-290, 0.1, 12345678.9, 1 };
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        for (size_t j = 0; j < sizeof hard / sizeof *hard; j++) {
            Axis a;
            cn_axis_init(&a, (Range){ fmin(hard[i], hard[j]), fmax(hard[i], hard[j]) }, 0.05, false,
                         false, 6);
            assert_true(a.n >= 1 && a.lo < a.hi && isfinite(a.hi - a.lo));
            assert_true(cn_axis_at(&a, hard[i]) >= 0 && cn_axis_at(&a, hard[i]) <= 1);
        }
    }
}

static void check_number(double v, int digits, const char *expected)
{
    char out[NUMBER_ROOM];
    cn_number_short(out, v, digits);
    assert_string_equal(out, expected);
}

static void test_numbers(void **state)
{
    (void)state;
    check_number(0, 3, "0");
    check_number(-0.125, 3, "-0.125");
    check_number(1234567, 3, "1234567");
    check_number(9.9996e8, 3, "1e9");
    check_number(-2.5e-9, 3, "-2.5e-9");
    check_number(1e-300, 3, "1e-300");
    check_number(1e300, 3, "1e300");
    check_number(-HUGE_VAL, 3, "-inf");
}

/* Where a locale with a decimal comma is installed. */
static void test_locale(void **state)
{
    (void)state;
    bool set = setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    check_number(0.5, 2, "0.5");
    setlocale(LC_NUMERIC, "C");
    if (!set) print_message("no locale with a decimal comma is installed\n");
}

/* ---- the terminal plot -------------------------------------------------------------------- */

static const double three[] = { 0, 1, 2 };

static char *text_of(const cn_figure *f, cn_text_options o)
{
    size_t n = cn_figure_text(f, &o, NULL, 0);
    assert_true(n > 0);
    char *text = malloc(n + 1);
    assert_non_null(text);
    assert_int_equal(cn_figure_text(f, &o, text, n + 1), n);
    assert_int_equal(strlen(text), n);
    return text;
}

static void test_text_golden(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new("up");
    assert_true(cn_figure_line(f, "loss", NULL, three, 3));
    assert_true(cn_figure_axes(f, .xlabel = "epoch"));
    char *text = text_of(f, (cn_text_options){ .width = 24, .height = 4 });
    assert_string_equal(text, "           up\n"
                              "   ⠒⠒⠒⠒⠒ loss\n"
                              "2 ┤                 ⣀⠤⠔⠂\n"
                              "  │           ⢀⣀⠤⠒⠊⠉\n"
                              "  │     ⣀⡠⠤⠒⠒⠉⠁\n"
                              "0 ┤⠠⠔⠒⠉⠉\n"
                              "  └─┬─────────────────┬─\n"
                              "    0                 2\n"
                              "           epoch\n");
    free(text);
    cn_figure_free(f);
}

static void test_text_truncates_like_snprintf(void **state)
{
    (void)state;
    char small[6] = "xxxxx";
    cn_figure *f = cn_figure_new("A title");
    size_t n = cn_figure_text(f, NULL, small, sizeof small);
    assert_true(n > sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
    cn_figure_free(f);
}

static void test_text_colour(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new(NULL);
    assert_true(cn_figure_line(f, "a", NULL, three, 3));
    char *plain = text_of(f, (cn_text_options){ .colour = false });
    char *colour = text_of(f, (cn_text_options){ .colour = true });
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(colour, "\033["));
    free(plain);
    free(colour);
    cn_figure_free(f);
}

/* Labels come from data: no escape may pass, and no broken UTF-8. */
static void test_hostile_labels(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new("a\033[31mb\xff\xc0\x80 \xe4\xb8\xad\xe6\x96\x87");
    char *text = text_of(f, (cn_text_options){ .width = 40 });
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "a [31mb??? 中文"));
    free(text);
    cn_figure_free(f);
}

/* ---- everything at once -------------------------------------------------------------------- */

/* One panel of each kind, with gaps, constants, single points and nothing at all. */
static cn_figure *everything(void)
{
    const double gaps[] = { 1, (double)NAN, 3, HUGE_VAL, DBL_MAX, 2 }, one[] = { 1e-9 },
                 same[] = { 4, 4, 4 }, same_square[] = { 4, 4, 4, 4 };
    const char *const names[] = { "shirt", "coat", "bag" };
    const uint8_t pixels[2 * 3 * 4] = { 0, 255, 128 };
    const float floats[2 * 2] = { -1, 0.5f, 2, (float)NAN };
    const char *const captions[] = { "ankle boot\n(sneaker)", NULL };
    const cn_image_mark marks[] = { CN_IMAGE_BAD, CN_IMAGE_GOOD };
    cn_figure *f = cn_figure_new("everything");
    bool ok = cn_figure_columns(f, 3) && cn_figure_panel(f, "lines") &&
              cn_figure_line(f, "gaps", NULL, gaps, 6) && cn_figure_line(f, "one", one, one, 1) &&
              cn_figure_line(f, "none", NULL, NULL, 0) &&
              cn_figure_scatter(f, NULL, three, same, 3) &&
              cn_figure_axes(f, .xlabel = "x", .ylabel = "y", .ylog = true) &&
              cn_figure_panel(f, "bars") && cn_figure_bars(f, "a", names, three, 3) &&
              cn_figure_bars(f, "b", names, same, 3) && cn_figure_panel(f, NULL) &&
              cn_figure_histogram(f, "h", gaps, 6, 0) && cn_figure_histogram(f, NULL, same, 3, 4) &&
              cn_figure_panel(f, "empty") && cn_figure_histogram(f, "nothing", NULL, 0, 0) &&
              cn_figure_heatmap(f, gaps, 2, 3, .col_labels = names, .numbers = true) &&
              cn_figure_heatmap(f, NULL, 0, 3, .xlabel = "none") &&
              cn_figure_images(f, 2, 3, 4, .u8 = pixels, .captions = captions, .marks = marks) &&
              cn_figure_images(f, 1, 2, 2, .f32 = floats) && cn_figure_images(f, 0, 2, 2) &&
              cn_figure_contour(f, gaps, 2, 3, .label = "levels") &&
              cn_figure_contour(f, same_square, 2, 2, .levels = three, .n_levels = 3) &&
              cn_figure_line(f, "way", NULL, three, 3) &&
              cn_figure_surface(f, gaps, 2, 3, .zlabel = "z") &&
              cn_figure_surface(f, same_square, 2, 2, .x = three, .y = three, .azimuth = 120,
                                .elevation = 90);
    if (ok) return f;
    cn_figure_free(f);
    return NULL;
}

static void test_everything_as_text(void **state)
{
    (void)state;
    cn_figure *f = everything();
    assert_non_null(f);
    for (int width = 24; width < 200; width += 25) {
        free(text_of(f, (cn_text_options){ .width = width, .height = 4 + width / 8 }));
        free(text_of(f, (cn_text_options){ .width = width, .colour = true }));
    }
    cn_figure_free(f);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    bool passed = false;
    for (int64_t n = 0; n < 1000 && !passed; n++) {
        cn_alloc_fail_after(n);
        cn_figure *f = everything();
        passed = cn_figure_text(f, NULL, NULL, 0) > 0;
        cn_alloc_fail_after(-1);
        assert_int_equal(passed, cn_ok());
        cn_figure_free(f);
        cn_error_clear();
    }
    assert_true(passed);
}

/* ---- files -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test_plot_XXXXXX";

/* Asks the library, which may have been built with other options than this test. */
static bool with_cairo(void)
{
    cn_figure *f = cn_figure_new(NULL);
    cn_figure_save(f, "/nowhere/at/all/x.svg");
    bool without = strstr(cn_error(), "without Cairo") != NULL;
    cn_figure_free(f);
    cn_error_clear();
    return !without;
}

static void check_file(const cn_figure *f, const char *extension, const char *magic)
{
    char path[64], start[8] = "";
    snprintf(path, sizeof path, "%s/figure.%s", folder, extension);
    bool cairo = with_cairo(), saved = cn_figure_save(f, path);
    if (cairo) assert_string_equal(cn_error(), "");
    assert_int_equal(saved, cairo);
    if (!saved) {
        assert_int_equal(cn_error_code(), CN_EUNSUPPORTED);
        cn_error_clear();
        return;
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_true(fread(start, 1, 7, file) == 7);
    assert_memory_equal(start, magic, strlen(magic));
    fclose(file);
    assert_int_equal(unlink(path), 0);
}

static void test_save(void **state)
{
    (void)state;
    cn_figure *f = everything();
    assert_non_null(f);
    check_file(f, "svg", "<?xml");
    check_file(f, "png", "\x89PNG");
    check_file(f, "pdf", "%PDF");
    check_file(f, "PNG", "\x89PNG");
    cn_figure_free(f);
}

static void test_save_out_of_memory(void **state)
{
    (void)state;
    if (!with_cairo()) skip();
    char path[64];
    snprintf(path, sizeof path, "%s/figure.svg", folder);
    cn_figure *f = everything();
    bool passed = false;
    for (int64_t n = 0; n < 1000 && !passed; n++) {
        cn_alloc_fail_after(n);
        passed = cn_figure_save(f, path);
        cn_alloc_fail_after(-1);
        assert_int_equal(passed, cn_ok());
        assert_int_equal(access(path, F_OK) == 0, passed);
        cn_error_clear();
    }
    assert_true(passed);
    assert_int_equal(unlink(path), 0);
    cn_figure_free(f);
}

/* ---- contours ----------------------------------------------------------------------------- */

enum { SIDE = 41 };

/* A function over -2 .. 2 in both directions. */
static void sample_function(double (*f)(double x, double y), double *x, double *values)
{
    for (int i = 0; i < SIDE; i++) x[i] = -2 + 0.1 * i;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) values[r * SIDE + c] = f(x[c], x[r]);
}

static double bowl(double x, double y)
{
    return x * x + y * y;
}

static double saddle(double x, double y)
{
    return x * y;
}

/* The level lines as the library has them, each ended by a NaN. */
static const Series *contour_of(cn_figure *f, double (*function)(double x, double y), double level)
{
    double x[SIDE], values[SIDE * SIDE];
    sample_function(function, x, values);
    assert_true(
        cn_figure_contour(f, values, SIDE, SIDE, .x = x, .y = x, .levels = &level, .n_levels = 1));
    return &f->panels[0].curves.series[0];
}

static int lines_in(const Series *s)
{
    int n = 0;
    for (size_t i = 0; i < s->n; i++) n += isnan(s->x[i]);
    return n;
}

/* One ring of radius 1, closed, no point twice but the first. */
static void test_contour_is_a_circle(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new(NULL);
    const Series *s = contour_of(f, bowl, 1);
    assert_int_equal(lines_in(s), 1);
    assert_true(s->x[0] == s->x[s->n - 2] && s->y[0] == s->y[s->n - 2]);
    double around = 0;
    for (size_t i = 0; i + 1 < s->n; i++) assert_true(fabs(hypot(s->x[i], s->y[i]) - 1) < 2e-3);
    for (size_t i = 0; i + 2 < s->n; i++)
        around += hypot(s->x[i + 1] - s->x[i], s->y[i + 1] - s->y[i]);
    assert_true(fabs(around - 6.2832) < 0.01);
    cn_figure_free(f);
}

/* x y = 0.5: two branches from border to border, which do not touch. */
static void test_contour_of_a_saddle(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new(NULL);
    const Series *s = contour_of(f, saddle, 0.5);
    assert_int_equal(lines_in(s), 2);
    for (size_t i = 0; i < s->n; i++)
        assert_true(isnan(s->x[i]) || fabs(s->x[i] * s->y[i] - 0.5) < 0.02);
    assert_true(fmax(fabs(s->x[0]), fabs(s->y[0])) == 2);
    cn_figure_free(f);
}

/* Two peaks that touch in a cell: the height in its middle decides. */
static void test_contour_in_a_doubtful_cell(void **state)
{
    (void)state;
    const double cell[] = { 1, 0, 0, 1 }, level[] = { 0.4, 0.6 };
    for (int i = 0; i < 2; i++) {
        cn_figure *f = cn_figure_new(NULL);
        assert_true(cn_figure_contour(f, cell, 2, 2, .levels = &level[i], .n_levels = 1));
        const Series *s = &f->panels[0].curves.series[0];
        assert_int_equal(lines_in(s), 2);
        /* below the middle, 0.5, lines go around the low corners, (1, 0) and (0, 1) */
        double x = (s->x[0] + s->x[1]) / 2, y = (s->y[0] + s->y[1]) / 2;
        assert_int_equal((x < 0.5) != (y < 0.5), i == 0);
        cn_figure_free(f);
    }
}

/* ---- errors ------------------------------------------------------------------------------- */

static void expect_error(bool result, cn_code code)
{
    assert_false(result);
    assert_int_equal(cn_error_code(), code);
    assert_true(cn_error()[0] != 0);
    cn_error_clear();
}

static void test_errors_of_paths(void **state)
{
    (void)state;
    cn_figure *f = cn_figure_new(NULL);
    cn_code no_cairo = with_cairo() ? CN_OK : CN_EUNSUPPORTED;
    expect_error(cn_figure_save(f, "/nowhere/at/all/x.svg"), no_cairo ? no_cairo : CN_ENOTFOUND);
    expect_error(cn_figure_save(f, "figure.bmp"), no_cairo ? no_cairo : CN_EINVALID);
    expect_error(cn_figure_save(f, "figure"), no_cairo ? no_cairo : CN_EINVALID);
    expect_error(cn_figure_save(f, NULL), CN_EINVALID);
    expect_error(cn_figure_save(NULL, "figure.svg"), CN_EINVALID);
    cn_figure_free(f);
}

static void test_errors_of_arguments(void **state)
{
    (void)state;
    const uint8_t pixels[4] = { 0 };
    const double square[4] = { 0 };
    char buf[8];
    cn_figure *f = cn_figure_new(NULL);
    expect_error(cn_figure_line(NULL, "a", NULL, three, 3), CN_EINVALID);
    expect_error(cn_figure_line(f, "a", NULL, NULL, 3), CN_EINVALID);
    expect_error(cn_figure_line(f, "a", NULL, three, SIZE_MAX / 4), CN_EINVALID);
    expect_error(cn_figure_histogram(f, "a", three, 3, 1000000), CN_EINVALID);
    expect_error(cn_figure_axes(NULL, .xlabel = "x"), CN_EINVALID);
    expect_error(cn_figure_axes(f, .xlog = true, .xmin = -1, .xmax = 1), CN_EINVALID);
    expect_error(cn_figure_axes(f, .ymax = HUGE_VAL), CN_EINVALID);
    expect_error(cn_figure_axes(f, .width = -1), CN_EINVALID);
    expect_error(cn_figure_axes_with(NULL), CN_EINVALID);
    expect_error(cn_figure_axes_with(&(cn_axes_options){ .figure = f }), CN_EINVALID);
    expect_error(cn_figure_heatmap(f, NULL, 2, 2), CN_EINVALID);
    expect_error(cn_figure_heatmap(f, three, SIZE_MAX, 2), CN_EINVALID);
    expect_error(cn_figure_contour(f, NULL, 2, 2), CN_EINVALID);
    expect_error(cn_figure_contour(f, three, 1, 3), CN_EINVALID);
    expect_error(cn_figure_contour(f, three, 2, SIZE_MAX), CN_EINVALID);
    expect_error(cn_figure_contour(f, square, 2, 2, .x = square), CN_EINVALID);
    expect_error(cn_figure_contour(f, square, 2, 2, .n_levels = 10000), CN_EINVALID);
    expect_error(cn_figure_contour(NULL, square, 2, 2), CN_EINVALID);
    expect_error(cn_figure_surface(f, NULL, 2, 2), CN_EINVALID);
    expect_error(cn_figure_surface(f, square, 2, 2, .elevation = 91), CN_EINVALID);
    expect_error(cn_figure_surface(NULL, square, 2, 2), CN_EINVALID);
    expect_error(cn_figure_images(f, 1, 2, 2), CN_EINVALID);
    expect_error(cn_figure_images(f, 1, 2, 2, .u8 = pixels, .channels = 2), CN_EINVALID);
    expect_error(cn_figure_images(f, 1, 0, 2, .u8 = pixels), CN_EINVALID);
    expect_error(cn_figure_text(NULL, NULL, buf, sizeof buf), CN_EINVALID);
    expect_error(cn_figure_text(f, NULL, NULL, 5), CN_EINVALID);
    expect_error(cn_figure_text(f, &(cn_text_options){ .width = 3 }, buf, 8), CN_EINVALID);
    cn_figure_free(f);
}

/* ---- main --------------------------------------------------------------------------------- */

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_ranges_without_width),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_text_golden),
        cmocka_unit_test(test_text_truncates_like_snprintf),
        cmocka_unit_test(test_text_colour),
        cmocka_unit_test(test_hostile_labels),
        cmocka_unit_test(test_everything_as_text),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_save_out_of_memory),
        cmocka_unit_test(test_contour_is_a_circle),
        cmocka_unit_test(test_contour_of_a_saddle),
        cmocka_unit_test(test_contour_in_a_doubtful_cell),
        cmocka_unit_test(test_errors_of_paths),
        cmocka_unit_test(test_errors_of_arguments),
    };
    return cmocka_run_group_tests_name("plot", tests, make_folder, remove_folder);
}
