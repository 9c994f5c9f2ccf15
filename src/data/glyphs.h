/* glyphs.h - a data set that needs no files: ten kinds of symbols drawn by hand, so to speak. */
#ifndef CN_DATA_GLYPHS_H
#define CN_DATA_GLYPHS_H

#include <cenote/data.h>

enum { CN_GLYPH_SIDE = 28, CN_GLYPH_CLASSES = 10 };

extern const char *const cn_glyph_names[CN_GLYPH_CLASSES];

/* Draws one sample of a split, from these three numbers alone; returns its label. */
uint8_t cn_glyph_draw(uint64_t seed, cn_part split, int64_t index,
                      uint8_t pixels[CN_GLYPH_SIDE * CN_GLYPH_SIDE]);

/* The first n samples, drawn by all threads. */
cn_dataset *cn_glyphs(uint64_t seed, cn_part split, int64_t n);

#endif
