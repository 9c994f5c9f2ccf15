/* recurrence.c - one layer in one direction over all steps: in one call, or, where the hidden state is
   projected, step by step.

   The inputs of all steps are multiplied at once; then each step takes its rows. A cut of the rows
   has a gradient as large as what it was cut from, so cutting T steps off the whole would cost T^2:
   the rows are halved instead, again and again, which costs T log T. */
#include "nn/recurrent.h"

#include <string.h>

typedef struct {
    cn_cell cell;
    const cn_sequence *s;
    const cn_cell_weights *w;
    bool reverse;
    cn_tensor *first[2]; /* the state at the start of each sequence */
    cn_tensor *state[2]; /* now; owned */
    cn_tensor **out;     /* h of each step; owned */
    /* Last states of sequences that have ended, from the back of the array: they end from the last
       row up, so that the shorter ones come behind the longer. Owned. */
    cn_tensor **ended[2];
    int64_t n_ended;
} Pass;

static int states(const Pass *p)
{
    return p->cell == CN_CELL_LSTM ? 2 : 1;
}

static int64_t rows_of(const cn_tensor *t)
{
    return t->v.shape.dim[0];
}

static bool replace(cn_tensor **slot, cn_tensor *t)
{
    if (!t) return false;
    cn_keep(t);
    cn_drop(*slot);
    *slot = t;
    return true;
}

/* Forwards, sequences that have ended leave with their last state; backwards, those that begin
   join with their first. */
static bool fit_rows(Pass *p, int64_t rows)
{
    int64_t have = rows_of(p->state[0]);
    if (rows == have) return true;
    int64_t place = p->s->steps - 1 - p->n_ended;
    p->n_ended += rows < have;
    for (int i = 0; i < states(p); i++) {
        cn_tensor *now = p->state[i];
        if (rows < have) {
            if (!replace(&p->ended[i][place], cn_narrow(now, 0, rows, have - rows))) return false;
            now = cn_narrow(now, 0, 0, rows);
        } else {
            cn_tensor *both[] = { now, cn_narrow(p->first[i], 0, have, rows - have) };
            now = cn_cat(both, 2, 0);
        }
        if (!replace(&p->state[i], now)) return false;
    }
    return true;
}

/* Only the state outlives the step; what backward needs, the tape keeps. */
static bool run_step(Pass *p, cn_tensor *projected, int64_t t)
{
    size_t mark = cn_mark();
    bool ok = fit_rows(p, rows_of(projected));
    cn_tensor *next[] = { p->state[0], p->state[1] };
    ok = ok && cn_cell_step(p->cell, projected, next, p->w);
    for (int i = 0; ok && i < states(p); i++) ok = replace(&p->state[i], next[i]);
    ok = ok && replace(&p->out[t], p->state[0]);
    cn_release(mark);
    return ok;
}

/* The steps from `first` up to `last`, whose rows `projected` has. */
static bool run_steps(Pass *p, cn_tensor *projected, int64_t first, int64_t last)
{
    if (!projected) return false;
    if (last - first == 1) return run_step(p, projected, first);
    const int64_t *offset = p->s->offsets, middle = first + (last - first) / 2;
    size_t mark = cn_mark();
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        bool early = (i == 0) != p->reverse;
        int64_t from = early ? first : middle, to = early ? middle : last;
        ok = run_steps(
            p, cn_narrow(projected, 0, offset[from] - offset[first], offset[to] - offset[from]),
            from, to);
    }
    cn_release(mark);
    return ok;
}

/* What is left at the end comes before those that ended, the last of them first. */
static cn_tensor *last_state(const Pass *p, int i)
{
    cn_tensor **list = p->ended[i] + p->s->steps - p->n_ended - 1;
    cn_tensor *before = *list;
    if (p->n_ended == 0) return p->state[i];
    *list = p->state[i];
    cn_tensor *all = cn_cat(list, (int)p->n_ended + 1, 0);
    *list = before;
    return all;
}

static bool run_pass(Pass *p, cn_tensor *state[2], cn_tensor **out)
{
    const cn_sequence *s = p->s;
    int64_t start = s->steps - 1, rows = s->offsets[start + 1] - s->offsets[start];
    for (int i = 0; i < states(p); i++) {
        p->first[i] = state[i];
        cn_tensor *now = p->reverse ? cn_narrow(state[i], 0, 0, rows) : state[i];
        if (!replace(&p->state[i], now)) return false;
    }
    if (!run_steps(p, cn_cell_project(p->cell, s->data, p->w), 0, s->steps)) return false;
    for (int i = 0; i < states(p); i++)
        if (!(state[i] = last_state(p, i))) return false;
    return (*out = cn_cat(p->out, (int)s->steps, 0)) != NULL;
}

static bool recur_by_steps(cn_cell cell, const cn_sequence *s, bool reverse,
                           const cn_cell_weights *w, cn_tensor *state[2], cn_tensor **out)
{
    size_t n = (size_t)s->steps, room;
    if (!cn_mul_size(3 * n, sizeof(cn_tensor *), &room, "recurrence")) return false;
    cn_tensor **block = cn_alloc_zeroed(room);
    if (!block) return false;
    Pass p = { .cell = cell, .s = s, .w = w, .reverse = reverse, .out = block };
    p.ended[0] = block + n, p.ended[1] = block + 2 * n;
    bool ok = run_pass(&p, state, out);
    /* The scope of the caller now holds the results; the last state may be ours alone. */
    for (int i = 0; ok && i < states(&p); i++)
        if (state[i] == p.state[i]) ok = cn_scope_add(cn_ref(state[i])) != NULL;
    for (size_t i = 0; i < 3 * n; i++) cn_drop(block[i]);
    for (int i = 0; i < 2; i++) cn_drop(p.state[i]);
    cn_free(block);
    return ok;
}

static cn_tensor *rows_of_steps(const cn_sequence *s)
{
    cn_tensor *rows = cn_empty(CN_SHAPE(s->steps), CN_I64);
    int64_t *n = cn_overwritten(rows);
    for (int64_t t = 0; n && t < s->steps; t++) n[t] = s->offsets[t + 1] - s->offsets[t];
    return rows;
}

bool cn_recur(cn_cell cell, const cn_sequence *s, bool reverse, const cn_cell_weights *w,
              cn_tensor *state[2], cn_tensor **out)
{
    if (s->steps > INT32_MAX)
        return cn_fail(CN_EINVALID, "a recurrence of more than %d steps", INT32_MAX);
    if (w->w_hr) return recur_by_steps(cell, s, reverse, w, state, out);
    return cn_recurrent_layer(cell, s->data, state, w, rows_of_steps(s), reverse, out);
}
