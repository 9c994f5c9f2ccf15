/* glyph_shapes.h - what the glyphs look like before they are distorted. */
#ifndef CN_DATA_GLYPH_SHAPES_H
#define CN_DATA_GLYPH_SHAPES_H

#include <stdbool.h>

enum { CN_STROKE_POINTS = 12, CN_GLYPH_STROKES = 2 };

enum { CIRCLE, SQUARE, TRIANGLE, STAR, HEART, MOON, ARROW, HOUSE, WAVE, SPIRAL };

/* Points in [-1, 1], y down, joined by lines or, if it is curved, by a smooth curve through all. */
typedef struct cn_stroke {
    int n;
    bool closed, curved, filled;
    float at[CN_STROKE_POINTS][2];
} cn_stroke;

typedef struct cn_glyph {
    int strokes;
    cn_stroke stroke[CN_GLYPH_STROKES];
} cn_glyph;

/* clang-format off: a table of points */
static const cn_glyph cn_glyph_shapes[] = {
    [CIRCLE] = { 1,
                 {
                     { .n = 8,
                       .closed = true,
                       .curved = true,
                       .at = { { 0, -.8f },
                               { .57f, -.57f },
                               { .8f, 0 },
                               { .57f, .57f },
                               { 0, .8f },
                               { -.57f, .57f },
                               { -.8f, 0 },
                               { -.57f, -.57f } } },
                 } },
    [SQUARE] = { 1,
                 {
                     { .n = 4,
                       .closed = true,
                       .filled = true,
                       .at = { { -.7f, -.7f }, { .7f, -.7f }, { .7f, .7f }, { -.7f, .7f } } },
                 } },
    [TRIANGLE] = { 1,
                   {
                       { .n = 3,
                         .closed = true,
                         .filled = true,
                         .at = { { 0, -.85f }, { .85f, .65f }, { -.85f, .65f } } },
                   } },
    [STAR] = { 1,
               {
                   { .n = 10,
                     .closed = true,
                     .filled = true,
                     .at = { { 0, -.95f },
                             { .24f, -.32f },
                             { .9f, -.29f },
                             { .38f, .12f },
                             { .56f, .77f },
                             { 0, .4f },
                             { -.56f, .77f },
                             { -.38f, .12f },
                             { -.9f, -.29f },
                             { -.24f, -.32f } } },
               } },
    [HEART] = { 1,
                {
                    { .n = 10,
                      .closed = true,
                      .curved = true,
                      .filled = true,
                      .at = { { 0, -.4f },
                              { .35f, -.8f },
                              { .8f, -.6f },
                              { .8f, -.1f },
                              { .4f, .4f },
                              { 0, .85f },
                              { -.4f, .4f },
                              { -.8f, -.1f },
                              { -.8f, -.6f },
                              { -.35f, -.8f } } },
                } },
    [MOON] = { 1,
               {
                   { .n = 9,
                     .closed = true,
                     .curved = true,
                     .filled = true,
                     .at = { { .35f, -.85f },
                             { -.35f, -.65f },
                             { -.7f, -.05f },
                             { -.45f, .6f },
                             { .1f, .85f },
                             { .6f, .7f },
                             { .15f, .5f },
                             { -.1f, .1f },
                             { -.05f, -.4f } } },
               } },
    [ARROW] = { 2,
                {
                    { .n = 2, .at = { { 0, .85f }, { 0, -.8f } } },
                    { .n = 3, .at = { { -.55f, -.2f }, { 0, -.85f }, { .55f, -.2f } } },
                } },
    [HOUSE] = { 2,
                {
                    { .n = 4,
                      .at = { { -.55f, -.1f }, { -.55f, .75f }, { .55f, .75f }, { .55f, -.1f } } },
                    { .n = 3, .at = { { -.85f, .05f }, { 0, -.8f }, { .85f, .05f } } },
                } },
    [WAVE] = { 2,
               {
                   { .n = 5,
                     .curved = true,
                     .at = { { -.9f, -.2f },
                             { -.45f, -.6f },
                             { 0, -.3f },
                             { .45f, -.05f },
                             { .9f, -.4f } } },
                   { .n = 5,
                     .curved = true,
                     .at = { { -.9f, .5f },
                             { -.45f, .1f },
                             { 0, .4f },
                             { .45f, .65f },
                             { .9f, .3f } } },
               } },
    [SPIRAL] = { 1,
                 {
                     { .n = 11,
                       .curved = true,
                       .at = { { 0, .05f },
                               { .2f, -.1f },
                               { .05f, -.35f },
                               { -.3f, -.25f },
                               { -.4f, .15f },
                               { -.1f, .5f },
                               { .4f, .4f },
                               { .65f, -.1f },
                               { .45f, -.65f },
                               { -.1f, -.85f },
                               { -.7f, -.65f } } },
                 } },
};
/* clang-format on */

#endif
