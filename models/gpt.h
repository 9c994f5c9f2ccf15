/* gpt.h - a Transformer that is only a decoder: a language model (Radford and others, 2018), with
   normalisation before each part and a choice of how it knows positions. */
#ifndef MODELS_GPT_H
#define MODELS_GPT_H

#include "models/models.h"

typedef enum cn_positions {
    CN_POSITIONS_LEARNED,   /* a vector for each, added to the embedding */
    CN_POSITIONS_SINUSOIDS, /* the same with sines and cosines */
    CN_POSITIONS_ROTARY,    /* queries and keys are turned (Su and others, 2021) */
    CN_POSITIONS_ALIBI,     /* scores lose with the distance (Press and others, 2022) */
    CN_POSITIONS_NONE,
} cn_positions;

typedef struct cn_gpt_settings {
    int64_t vocabulary;
    int64_t context, width, heads, layers; /* 0: 128, 128, 4, 2 */
    double dropout;
    cn_positions positions;
} cn_gpt_settings;

/* cn_forward(): ids (batch, steps) to scores (batch, vocabulary, steps) of the token after each one.
   cn_forward_all(): {ids, past, cache} to {scores, past, cache}, in training and while recording without the
   last. past: the tokens before these, (batch, n), or NULL; cache: what was given for them, with their keys and
   values, or NULL: they are computed again. So are those of half a context when a context is full. NULL: an
   error. */
cn_module *cn_gpt(const cn_gpt_settings *settings);

/* x (.., steps, size) at positions first, first + 1, ..: pairs (j, j + size / 2) turned by position /
   10000^(2j / size). size must be even. */
cn_tensor *cn_rotated(cn_tensor *x, int64_t first);

/* (heads, steps, first + steps) to add to scores of queries i = first, first + 1, ..:
   -(i - j) 2^(-8 (h + 1) / heads), -infinity for what comes later. */
cn_tensor *cn_alibi(int64_t heads, int64_t first, int64_t steps);

#endif
