/* glyphs.c - drawing glyphs. The strokes of a shape are jittered, bent by waves, turned, scaled,
   sheared and shifted, and drawn with soft edges or filled; then a patch hides a part, stray lines
   cross it, and it is exposed over an uneven ground, with noise.

   How hard the set is was tuned with 10 epochs in batches of 256: softmax regression (lr 0.1) gets
   88 % of the test split right, LeNet with ReLU and Adam (lr 0.002) 99 %. */
#include "data/glyphs.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cenote/rng.h>

#include "core/memory.h"
#include "core/threads.h"
#include "data/glyph_shapes.h"
#include "data/images.h"

enum {
    SIDE = CN_GLYPH_SIDE,
    PIXELS = SIDE * SIDE,
    CURVE_STEPS = 5,
    MAX_PATH = CN_STROKE_POINTS * CURVE_STEPS + 1
};

_Static_assert(sizeof cn_glyph_shapes / sizeof cn_glyph_shapes[0] == CN_GLYPH_CLASSES,
               "one shape per class");

typedef struct point {
    float x, y;
} point;

static float between(cn_rng *rng, float lo, float hi)
{
    return lo + (hi - lo) * (float)cn_rng_uniform(rng);
}

static float normal(cn_rng *rng, float deviation)
{
    return deviation * (float)cn_rng_normal(rng);
}

/* ---- from the plane of the shape to pixels ------------------------------------------------- */

typedef struct distortion {
    float a, b, c, d; /* linear part: pixels per unit */
    point shift;
    point wave, phase; /* of the bending: frequency times 2 pi, and where it begins */
    float amplitude;
} distortion;

static distortion draw_distortion(cn_rng *rng)
{
    const float degree = 0.0174533f;
    float angle = between(rng, -25, 25) * degree;
    float shear = between(rng, -0.15f, 0.15f);
    float sx = between(rng, 8, 11), sy = between(rng, 8, 11);
    float cosine = cosf(angle), sine = sinf(angle);
    return (distortion){
        .a = cosine * sx,
        .b = (cosine * shear - sine) * sy,
        .c = sine * sx,
        .d = (sine * shear + cosine) * sy,
        .shift = { 13.5f + between(rng, -2.5f, 2.5f), 13.5f + between(rng, -2.5f, 2.5f) },
        .wave = { between(rng, 2, 4), between(rng, 2, 4) },
        .phase = { between(rng, 0, 6.2832f), between(rng, 0, 6.2832f) },
        .amplitude = between(rng, 0, 0.1f),
    };
}

static point distort(const distortion *t, point p)
{
    float x = p.x + t->amplitude * sinf(t->wave.x * p.y + t->phase.x);
    float y = p.y + t->amplitude * sinf(t->wave.y * p.x + t->phase.y);
    return (point){ t->a * x + t->b * y + t->shift.x, t->c * x + t->d * y + t->shift.y };
}

/* ---- drawing ------------------------------------------------------------------------------ */

static float distance(point p, point a, point b)
{
    float ux = b.x - a.x, uy = b.y - a.y, vx = p.x - a.x, vy = p.y - a.y;
    float length = ux * ux + uy * uy;
    float t = length > 0 ? (ux * vx + uy * vy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return sqrtf((vx - t * ux) * (vx - t * ux) + (vy - t * uy) * (vy - t * uy));
}

static int clip(float x)
{
    return x < 0 ? 0 : x > SIDE - 1 ? SIDE - 1 : (int)x;
}

/* Ink has the brightness of its darkest or brightest touch: joints do not show. */
static void draw_line(float *ink, point a, point b, float thickness, float strength)
{
    float reach = thickness / 2 + 1;
    int left = clip(fminf(a.x, b.x) - reach), right = clip(fmaxf(a.x, b.x) + reach + 1);
    int top = clip(fminf(a.y, b.y) - reach), bottom = clip(fmaxf(a.y, b.y) + reach + 1);
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float depth = thickness / 2 + 0.5f - distance((point){ (float)x, (float)y }, a, b);
            float cover = depth < 0 ? 0 : depth > 1 ? strength : depth * strength;
            if (cover > ink[y * SIDE + x]) ink[y * SIDE + x] = cover;
        }
}

/* Catmull and Rom's curve from p[1] to p[2]. */
static point on_curve(const point p[4], float t)
{
    float t2 = t * t, t3 = t2 * t;
    float w[4] = { (-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2,
                   (t3 - t2) / 2 };
    point sum = { 0, 0 };
    for (int i = 0; i < 4; i++) sum.x += w[i] * p[i].x, sum.y += w[i] * p[i].y;
    return sum;
}

static int neighbour(const cn_stroke *s, int i)
{
    if (s->closed) return (i + s->n) % s->n;
    return i < 0 ? 0 : i >= s->n ? s->n - 1 : i;
}

/* The stroke as points on the page, joined by lines; returns how many. */
static int trace(const cn_stroke *s, const distortion *t, cn_rng *rng, point path[MAX_PATH])
{
    point at[CN_STROKE_POINTS];
    int n = 0;
    assert(s->n > 0); /* a stroke has points */
    for (int i = 0; i < s->n; i++)
        at[i] = (point){ s->at[i][0] + normal(rng, 0.03f), s->at[i][1] + normal(rng, 0.03f) };
    path[n++] = distort(t, at[0]);
    for (int i = 0; i < s->n - !s->closed; i++) {
        point p[4];
        for (int j = 0; j < 4; j++) p[j] = at[neighbour(s, i + j - 1)];
        for (int step = 1; step <= CURVE_STEPS; step++) {
            float u = (float)step / CURVE_STEPS;
            point straight = { p[1].x + u * (p[2].x - p[1].x), p[1].y + u * (p[2].y - p[1].y) };
            path[n++] = distort(t, s->curved ? on_curve(p, u) : straight);
        }
    }
    return n;
}

/* Whether a ray from p to the right crosses the path an odd number of times. */
static bool is_inside(point p, const point *path, int n)
{
    bool inside = false;
    for (int i = 0; i + 1 < n; i++) {
        point a = path[i], b = path[i + 1];
        if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y))
            inside = !inside;
    }
    return inside;
}

static void draw_stroke(float *ink, const cn_stroke *s, const distortion *t, float thickness,
                        cn_rng *rng)
{
    point path[MAX_PATH];
    int n = trace(s, t, rng, path);
    for (int i = 0; i + 1 < n; i++) draw_line(ink, path[i], path[i + 1], thickness, 1);
    for (int i = 0; s->filled && i < PIXELS; i++)
        if (is_inside((point){ (float)(i % SIDE), (float)(i / SIDE) }, path, n)) ink[i] = 1;
}

static void draw_clutter(float *ink, cn_rng *rng)
{
    for (int64_t n = cn_rng_below(rng, 2); n > 0; n--) {
        point a = { between(rng, 0, SIDE), between(rng, 0, SIDE) };
        float angle = between(rng, 0, 6.2832f), length = between(rng, 4, 12);
        point b = { a.x + length * cosf(angle), a.y + length * sinf(angle) };
        draw_line(ink, a, b, between(rng, 0.8f, 1.8f), between(rng, 0.3f, 0.8f));
    }
}

/* Hides a small rectangle, in every other sample. */
static void hide_patch(float *ink, cn_rng *rng)
{
    if (cn_rng_below(rng, 2)) return;
    int64_t w = 3 + cn_rng_below(rng, 3), h = 3 + cn_rng_below(rng, 3);
    int64_t left = cn_rng_below(rng, SIDE - w), top = cn_rng_below(rng, SIDE - h);
    for (int64_t y = top; y < top + h; y++)
        memset(ink + y * SIDE + left, 0, (size_t)w * sizeof *ink);
}

/* The sum of two uniform bytes is noise enough, and 8 pixels take one draw. */
static void develop(uint8_t *pixels, const float *ink, cn_rng *rng)
{
    float ground = between(rng, 0, 0.05f), contrast = between(rng, 0.8f, 0.95f);
    float slope_x = between(rng, -0.003f, 0.003f), slope_y = between(rng, -0.003f, 0.003f);
    float noise = between(rng, 0.02f, 0.08f) / 128;
    uint32_t r[4] = { 0 };
    for (int i = 0; i < PIXELS; i++) {
        if (i % 8 == 0) cn_philox(rng->seed, rng->stream, rng->position++, r);
        uint32_t bits = r[i % 8 / 2] >> (i % 2 * 16);
        float grain = noise * (float)((int)(bits & 255) + (int)(bits >> 8 & 255) - 255);
        float x = ground + slope_x * (float)(i % SIDE - 14) + slope_y * (float)(i / SIDE - 14) +
                  contrast * ink[i] + grain;
        x = x < 0 ? 0 : x > 1 ? 1 : x;
        pixels[i] = (uint8_t)(x * 255 + 0.5f);
    }
}

/* ---- samples ------------------------------------------------------------------------------ */

const char *const cn_glyph_names[CN_GLYPH_CLASSES] = {
    [CIRCLE] = "circle", [SQUARE] = "square", [TRIANGLE] = "triangle", [STAR] = "star",
    [HEART] = "heart",   [MOON] = "moon",     [ARROW] = "arrow",       [HOUSE] = "house",
    [WAVE] = "wave",     [SPIRAL] = "spiral",
};

/* Every ten samples in a row are all classes in some order. */
static uint8_t label_of(uint64_t seed, uint64_t split, int64_t index)
{
    int64_t order[CN_GLYPH_CLASSES];
    cn_rng rng = cn_rng_make(seed, split << 62 | 1ull << 61 | (uint64_t)(index / CN_GLYPH_CLASSES));
    cn_rng_permutation(&rng, CN_GLYPH_CLASSES, order);
    return (uint8_t)order[index % CN_GLYPH_CLASSES];
}

uint8_t cn_glyph_draw(uint64_t seed, cn_part split, int64_t index, uint8_t pixels[PIXELS])
{
    float ink[PIXELS] = { 0 };
    uint8_t label = label_of(seed, split, index);
    const cn_glyph *g = &cn_glyph_shapes[label];
    cn_rng rng = cn_rng_make(seed, (uint64_t)split << 62 | (uint64_t)index);
    distortion t = draw_distortion(&rng);
    float thickness = between(&rng, 1.2f, 3.0f);
    for (int i = 0; i < g->strokes; i++) draw_stroke(ink, &g->stroke[i], &t, thickness, &rng);
    hide_patch(ink, &rng);
    draw_clutter(ink, &rng);
    develop(pixels, ink, &rng);
    return label;
}

typedef struct drawing {
    uint64_t seed;
    cn_part split;
    uint8_t *pixels, *labels;
} drawing;

static void draw_range(int64_t first, int64_t last, void *context)
{
    const drawing *d = context;
    for (int64_t i = first; i < last; i++)
        d->labels[i] = cn_glyph_draw(d->seed, d->split, i, d->pixels + i * PIXELS);
}

cn_dataset *cn_glyphs(uint64_t seed, cn_part split, int64_t n)
{
    drawing d = { seed, split, cn_alloc((size_t)n * PIXELS), cn_alloc((size_t)n) };
    if (!d.pixels || !d.labels) return cn_free(d.pixels), cn_free(d.labels), NULL;
    cn_parallel(n, 10 * PIXELS, draw_range, &d);
    return cn_images_dataset(&(cn_images){
        .name = "glyphs",
        .n = n,
        .channels = 1,
        .height = SIDE,
        .width = SIDE,
        .pixels = d.pixels,
        .labels = d.labels,
        .classes = cn_glyph_names,
        .n_classes = CN_GLYPH_CLASSES,
    });
}
