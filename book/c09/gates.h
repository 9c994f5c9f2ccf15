/* gates.h - GRU and LSTM written out as in the book, and what the rows about them share. */
#ifndef BOOK_C09_GATES_H
#define BOOK_C09_GATES_H

#include "book/language.h"

enum { GATES = 4 };

/* The parameters of each gate, by a number that the cell below gives it, and of the output. */
typedef struct Gated {
    int64_t hidden, vocabulary;
    int gates;
    cn_tensor *w_x[GATES], *w_h[GATES], *b[GATES];
    cn_tensor *b_after; /* of a GRU that resets after the product, as layers do; NULL: before it */
    cn_tensor *w_hq, *b_q;
} Gated;

/* Trained parameters, drawn as in the book: N(0, 0.01), biases 0. */
Gated gated_new(int gates, int64_t hidden, int64_t vocabulary);
/* Those of a layer of the library, in PyTorch's order of gates. */
Gated gated_of_layer(cn_module *layer, int gates, int64_t hidden);
cn_optim *gated_optim(const Gated *g, double lr, bool adam);

enum { GRU_RESET, GRU_UPDATE, GRU_CANDIDATE, GRU_GATES };
enum { LSTM_INPUT, LSTM_FORGET, LSTM_CANDIDATE, LSTM_OUTPUT, LSTM_GATES };

/* One step of x (batch, inputs): the new h. */
cn_tensor *gru_step(const Gated *g, cn_tensor *x, cn_tensor *h);
/* The same of an LSTM: the new h, and *c is replaced by the new cell. */
cn_tensor *lstm_step(const Gated *g, cn_tensor *x, cn_tensor *h, cn_tensor **c);

/* All steps of x (steps, batch, inputs) from a state: h of each, and the state is the last. */
cn_tensor *gru_steps(const Gated *g, cn_tensor *x, cn_tensor *state[LANGUAGE_STATES]);
cn_tensor *lstm_steps(const Gated *g, cn_tensor *x, cn_tensor *state[LANGUAGE_STATES]);

/* ---- language models that memorise 10,000 characters ------------------------------------------- */

typedef struct Memorising {
    int64_t hidden, epochs;
    double lr;
    bool adam;
} Memorising;

/* The book's on its text; else fewer hidden units and epochs, with Adam. */
Memorising memorising(const Lab *lab, double book_lr);
/* Trains m, which must reach the book's perplexity on its text, or know more than the character before;
   shows what it writes, and the curve. */
void memorise(Lab *lab, const Language *m, const Memorising *how, double perplexity);

#endif
