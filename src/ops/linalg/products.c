/* products.c - products made of matrix products: mv, dot, outer, addmm, tensordot, einsum. */
#include "ops/compose.h"

#include <ctype.h>
#include <string.h>

/* ---- vectors ------------------------------------------------------------------------------- */

static bool mv_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 2, 2) && cn_want_dims(c, 1, 1, 1) &&
           cn_set_out(c, 0, cn_matmul(c->in[0], c->in[1]));
}

const cn_op cn_op_mv = {
    CN_OP_HEAD(mv, "mv", "(Tensor input, Tensor vec) -> Tensor"),
    .doc = "A matrix times a vector.",
    .compose = mv_compose,
    .samples = "[2,3] [3] | [0,3] [3]",
};

static bool dot_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 1, 1) && cn_want_dims(c, 1, 1, 1) &&
           cn_set_out(c, 0, cn_matmul(c->in[0], c->in[1]));
}

const cn_op cn_op_dot = {
    CN_OP_HEAD(dot, "dot", "(Tensor input, Tensor tensor) -> Tensor"),
    .doc = "The inner product of two vectors.",
    .compose = dot_compose,
    .samples = "[3] [3] | [0] [0]",
};

static bool vdot_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_dot(cn_conj(c->in[0]), c->in[1]));
}

const cn_op cn_op_vdot = {
    CN_OP_HEAD(vdot, "vdot", "(Tensor input, Tensor other) -> Tensor"),
    .doc = "The inner product of two vectors, the first one conjugated.",
    .compose = vdot_compose,
    .samples = "[3] [3] | c[3] c[3] | [0] [0]",
};

static bool outer_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 1, 1) && cn_want_dims(c, 1, 1, 1) &&
           cn_set_out(c, 0, cn_mul(cn_unsqueeze(c->in[0], 1), c->in[1]));
}

const cn_op cn_op_outer = {
    CN_OP_HEAD(outer, "outer", "(Tensor input, Tensor vec2) -> Tensor"),
    .aliases = "ger",
    .doc = "All products of an element of input and one of vec2.",
    .compose = outer_compose,
    .samples = "[2] [3] | [0] [3]",
};

cn_tensor *cn_dot(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(dot, NULL, input, other);
}

cn_tensor *cn_mv(cn_tensor *input, cn_tensor *vec)
{
    return CN_CALL(mv, NULL, input, vec);
}

cn_tensor *cn_outer(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(outer, NULL, input, other);
}

/* ---- beta input + alpha (a b) -------------------------------------------------------------- */

typedef struct {
    cn_number_arg beta, alpha;
} Blend;

/* With beta 0 the input's values, NaN among them, do not matter. */
static bool blend(cn_call *c, cn_tensor *product)
{
    const Blend *p = c->params;
    bool unused = p->beta.kind == CN_NUM_FLOAT ? p->beta.u.f == 0 : p->beta.u.i == 0;
    cn_tensor *y = cn_scaled_in_type(product, &p->alpha);
    if (!y || unused) return cn_set_out(c, 0, y);
    cn_tensor *input = cn_scaled_in_type(cn_expand(c->in[0], y->v.shape), &p->beta);
    return cn_set_out(c, 0, cn_add(input, y));
}

static bool blend_compose(cn_call *c)
{
    int nd = c->op == &cn_op_baddbmm ? 3 : 2, vector = c->op == &cn_op_addmv;
    return cn_want_dims(c, 1, nd, nd) && cn_want_dims(c, 2, nd - vector, nd - vector) &&
           blend(c, cn_matmul(c->in[1], c->in[2]));
}

static bool addr_compose(cn_call *c)
{
    return cn_want_dims(c, 1, 1, 1) && cn_want_dims(c, 2, 1, 1) &&
           blend(c, cn_outer(c->in[1], c->in[2]));
}

/* The sum over the batch is part of one product of wide matrices. */
static bool addbmm_compose(cn_call *c)
{
    if (!cn_want_dims(c, 1, 3, 3) || !cn_want_dims(c, 2, 3, 3)) return false;
    const int64_t *a = c->in[1]->v.shape.dim, *b = c->in[2]->v.shape.dim;
    if (a[0] != b[0] || a[2] != b[1])
        return cn_fail(CN_EINVALID, "addbmm: %lld matrices of %lld columns, %lld of %lld rows",
                       (long long)a[0], (long long)a[2], (long long)b[0], (long long)b[1]);
    cn_tensor *wide = cn_reshape(cn_transpose(c->in[1], 0, 1), CN_SHAPE(a[1], a[0] * a[2]));
    return blend(c, cn_mm(wide, cn_reshape(c->in[2], CN_SHAPE(b[0] * b[1], b[2]))));
}

#define BLEND_OP(ident, b, m, text, run, cases)                                                    \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(Tensor input, Tensor " b ", Tensor " m                                        \
                   ", *, Scalar beta=1, Scalar alpha=1) -> Tensor"),                               \
        .doc = text,                                                                               \
        .params_size = sizeof(Blend),                                                              \
        .compose = run,                                                                            \
        .samples = cases,                                                                          \
    }

BLEND_OP(addmm, "mat1", "mat2", "beta input + alpha (mat1 times mat2).", blend_compose,
         "[2,4] [2,3] [3,4] | [4] [2,3] [3,4] beta=0.5 alpha=2 | [2,4] [2,3] [3,4] alpha=-1 | "
         "i64<9[2,4] i64<9[2,3] i64<9[3,4] beta=2.5 alpha=-1.5");
BLEND_OP(addbmm, "batch1", "batch2", "beta input + alpha (the sum of batch1 times batch2).",
         addbmm_compose,
         "[3,5] [2,3,4] [2,4,5] | [5] [2,3,4] [2,4,5] beta=0.5 alpha=2 | [2] [0,2,3] [0,3,2]");
BLEND_OP(addr, "vec1", "vec2", "beta input + alpha (vec1 outer vec2).", addr_compose,
         "[2,3] [2] [3] | [3] [2] [3] beta=0.5 alpha=2 | bool[2,3] bool[2] bool[3] beta=2 alpha=3");
BLEND_OP(addmv, "mat", "vec", "beta input + alpha (mat times vec).", blend_compose,
         "[2] [2,3] [3] | [2] [2,3] [3] beta=0.5 alpha=2");
BLEND_OP(baddbmm, "batch1", "batch2", "beta input + alpha (batch1 times batch2).", blend_compose,
         "[2,3,5] [2,3,4] [2,4,5] | [5] [2,3,4] [2,4,5] beta=0.5 alpha=2");

/* ---- tensordot ----------------------------------------------------------------------------- */

typedef struct {
    cn_ints dims_a, dims_b;
} Contract;

/* t as a matrix: the contracted dimensions first or last, in the order given; *rest: the others. */
static cn_tensor *as_matrix(cn_tensor *t, const cn_ints *dims, bool last, cn_shape *rest)
{
    int nd = t->v.shape.ndim, count = (int)dims->n, n = last ? 0 : count;
    unsigned mask = 0;
    int64_t inner = 1, outer = 1;
    cn_shape order = { .ndim = nd };
    if (count && !cn_dims_mask(dims, nd, "tensordot", &mask)) return NULL;
    *rest = (cn_shape){ 0 };
    for (int i = 0; i < nd; i++) {
        if (mask & (1u << i)) continue;
        order.dim[n++] = i;
        rest->dim[rest->ndim++] = t->v.shape.dim[i];
        outer *= t->v.shape.dim[i];
    }
    for (int i = 0; i < count; i++) {
        int d = cn_wrap_dim(dims->v[i], nd, "tensordot");
        order.dim[(last ? nd - count : 0) + i] = d;
        inner *= t->v.shape.dim[d];
    }
    return cn_reshape(cn_permute(t, order), last ? CN_SHAPE(outer, inner) : CN_SHAPE(inner, outer));
}

static cn_tensor *contract(cn_tensor *a, cn_tensor *b, const cn_ints *da, const cn_ints *db)
{
    cn_shape s = { 0 }, other = { 0 };
    cn_tensor *ma = as_matrix(a, da, true, &s), *mb = as_matrix(b, db, false, &other);
    cn_tensor *y = cn_mm(ma, mb);
    if (y && s.ndim + other.ndim > CN_MAX_DIMS) {
        cn_fail(CN_EINVALID, "tensordot: the result has %d dimensions", s.ndim + other.ndim);
        return NULL;
    }
    for (int i = 0; y && i < other.ndim; i++) s.dim[s.ndim++] = other.dim[i];
    return y ? cn_reshape(y, s) : NULL;
}

/* dims n without a partner: the last n of the first with the first n of the second. */
static bool tensordot_compose(cn_call *c)
{
    const Contract *p = c->params;
    cn_ints da = p->dims_a, db = p->dims_b;
    cn_tensor *a = c->in[0], *b = c->in[1];
    if (db.n < 0) {
        int64_t n = da.n ? da.v[0] : 0;
        if (da.n > 1 || n < 0 || n > a->v.shape.ndim || n > b->v.shape.ndim)
            return cn_fail(CN_EINVALID, "tensordot: %lld dimensions cannot be contracted",
                           (long long)n);
        da.n = db.n = n;
        for (int64_t i = 0; i < n; i++) da.v[i] = a->v.shape.ndim - n + i, db.v[i] = i;
    }
    if (da.n != db.n)
        return cn_fail(CN_EINVALID, "tensordot: %lld dims with %lld", (long long)da.n,
                       (long long)db.n);
    return cn_set_out(c, 0, contract(a, b, &da, &db));
}

const cn_op cn_op_tensordot = {
    CN_OP_HEAD(tensordot, "tensordot",
               "(Tensor a, Tensor b, int[] dims=2, int[]? dims_b=None) -> Tensor"),
    .doc =
        "Sums over pairs of dimensions: the last `dims` of a and first of b, or dims of a with dims_b of b.",
    .params_size = sizeof(Contract),
    .compose = tensordot_compose,
    .samples =
        "[2,3,4] [3,4,5] | [2,3] [2,4] (0,) (0,) | [2] [3] dims=0 | [2,3,4] [4,5,2] (0,2) (2,0)",
};

/* ---- einsum
   -----------------------------------------------------------------------------------------------------------

   Every label gets a place 0 .. 51, letters by alphabet and, after them, the dimensions of an
   ellipsis.
   Operands are taken in one by one: labels that occur nowhere later are summed away in a batched
   matrix
   product whose batch are the labels both sides keep. */

enum { LABELS = 64, DOTS = 52 };

typedef struct {
    cn_tensor *t;
    int label[CN_MAX_DIMS]; /* of each dimension */
} Term;

static int label_of(char c)
{
    return islower((unsigned char)c) ? c - 'a' : c - 'A' + 26;
}

static bool bad_equation(const char *equation, const char *why)
{
    return cn_fail(CN_EINVALID, "einsum: \"%s\": %s", equation, why);
}

/* Reads labels up to , - or the end; an ellipsis stands for `dots` dimensions. -1: not labels. */
static int read_labels(const char **p, int dots, int label[CN_MAX_DIMS])
{
    int n = 0;
    for (; **p && **p != ',' && **p != '-'; ++*p) {
        if (**p == ' ') continue;
        int count = 1;
        bool ellipsis = strncmp(*p, "...", 3) == 0;
        if (ellipsis) count = dots, *p += 2;
        else if (!isalpha((unsigned char)**p)) return -1;
        if (n + count > CN_MAX_DIMS || count < 0) return -1;
        for (int i = 0; i < count; i++)
            label[n++] = ellipsis ? DOTS + CN_MAX_DIMS - dots + i : label_of(**p);
    }
    return n;
}

static int letters_before(const char *p)
{
    int n = 0;
    for (; *p && *p != ',' && *p != '-'; p++) n += isalpha((unsigned char)*p) != 0;
    return n;
}

/* A label that occurs twice in one term: only its diagonal counts. */
static bool take_diagonals(Term *t)
{
    for (int i = 0; i < t->t->v.shape.ndim; i++)
        for (int k = t->t->v.shape.ndim - 1; k > i; k--) {
            if (t->label[i] != t->label[k]) continue;
            struct {
                int64_t offset, dim1, dim2;
            } p = { 0, i, k };
            int label = t->label[i], nd = t->t->v.shape.ndim;
            if (t->t->v.shape.dim[i] != t->t->v.shape.dim[k])
                return cn_fail(CN_EINVALID, "einsum: a repeated label has sizes %lld and %lld",
                               (long long)t->t->v.shape.dim[i], (long long)t->t->v.shape.dim[k]);
            t->t = CN_CALL(diagonal, &p, t->t);
            if (!t->t) return false;
            memmove(t->label + k, t->label + k + 1, (size_t)(nd - k - 1) * sizeof(int));
            memmove(t->label + i, t->label + i + 1, (size_t)(nd - i - 2) * sizeof(int));
            t->label[nd - 2] = label;
            k = t->t->v.shape.ndim; /* the order changed: look again */
        }
    return true;
}

static bool read_term(const char **p, const char *equation, cn_tensor *t, Term *out)
{
    *out = (Term){ .t = t };
    if (!t) return false;
    bool dots = false;
    for (const char *q = *p; *q && *q != ',' && *q != '-'; q++) dots |= *q == '.';
    int n = read_labels(p, dots ? t->v.shape.ndim - letters_before(*p) : 0, out->label);
    if (n != t->v.shape.ndim)
        return bad_equation(equation, "labels and dimensions differ in number");
    return take_diagonals(out);
}

static int place(const Term *t, int label)
{
    for (int i = 0; i < t->t->v.shape.ndim; i++)
        if (t->label[i] == label) return i;
    return -1;
}

static bool sum_unneeded(Term *t, const Term *other, const bool needed[LABELS])
{
    cn_shape dims = { 0 }, kept = { 0 };
    for (int i = 0; i < t->t->v.shape.ndim; i++) {
        if (needed[t->label[i]] || (other && place(other, t->label[i]) >= 0)) {
            t->label[kept.ndim++] = t->label[i];
        } else {
            dims.dim[dims.ndim++] = i;
        }
    }
    if (dims.ndim) t->t = cn_sum(t->t, .dim = dims);
    return t->t != NULL;
}

/* The dimensions in the order of labels[], sizes 1 where there is none, merged into three groups.
   */
static cn_tensor *grouped(const Term *t, const int labels[], const int count[3])
{
    cn_shape order = { 0 }, s = { .ndim = 3, .dim = { 1, 1, 1 } };
    for (int group = 0, k = 0; group < 3; group++)
        for (int i = 0; i < count[group]; i++, k++) {
            int at = place(t, labels[k]);
            order.dim[order.ndim++] = at;
            s.dim[group] *= t->t->v.shape.dim[at];
        }
    return cn_reshape(cn_permute(t->t, order), s);
}

/* Brings the sizes of a label both have to the larger of the two, one of which may be 1. */
static bool match_sizes(Term *a, const Term *b)
{
    cn_shape s = a->t->v.shape;
    for (int i = 0; i < s.ndim; i++) {
        int k = place(b, a->label[i]);
        int64_t other = k < 0 ? s.dim[i] : b->t->v.shape.dim[k];
        if (s.dim[i] != other && s.dim[i] != 1 && other != 1)
            return cn_fail(CN_EINVALID, "einsum: a label has sizes %lld and %lld",
                           (long long)s.dim[i], (long long)other);
        if (s.dim[i] == 1) s.dim[i] = other;
    }
    a->t = cn_expand(a->t, s);
    return a->t != NULL;
}

/* The labels of a product: in both and needed, in one, in both and summed over. */
typedef struct {
    int shared[CN_MAX_DIMS], left[CN_MAX_DIMS], right[CN_MAX_DIMS], over[CN_MAX_DIMS];
    int n_shared, n_left, n_right, n_over;
} Parts;

static void part_labels(const Term *a, const Term *b, const bool needed[LABELS], Parts *p)
{
    *p = (Parts){ .n_shared = 0 };
    for (int i = 0; i < a->t->v.shape.ndim; i++) {
        int l = a->label[i];
        if (place(b, l) < 0) p->left[p->n_left++] = l;
        else if (needed[l]) p->shared[p->n_shared++] = l;
        else p->over[p->n_over++] = l;
    }
    for (int i = 0; i < b->t->v.shape.ndim; i++)
        if (place(a, b->label[i]) < 0) p->right[p->n_right++] = b->label[i];
}

/* t as (shared, x, y), where x and y are two of the other groups. */
static cn_tensor *batch_of(const Term *t, const Parts *p, const int x[], int nx, const int y[],
                           int ny)
{
    int labels[3 * CN_MAX_DIMS];
    memcpy(labels, p->shared, sizeof p->shared);
    memcpy(labels + p->n_shared, x, (size_t)nx * sizeof(int));
    memcpy(labels + p->n_shared + nx, y, (size_t)ny * sizeof(int));
    return grouped(t, labels, (int[]){ p->n_shared, nx, ny });
}

/* a becomes the sum of a b over what only the two of them have. */
static bool multiply(Term *a, Term *b, const bool needed[LABELS])
{
    if (!sum_unneeded(a, b, needed) || !sum_unneeded(b, a, needed)) return false;
    if (!match_sizes(a, b) || !match_sizes(b, a)) return false;
    Parts p;
    part_labels(a, b, needed, &p);
    cn_shape s = { .ndim = p.n_shared + p.n_left + p.n_right };
    if (s.ndim > CN_MAX_DIMS)
        return cn_fail(CN_EUNSUPPORTED, "einsum: an intermediate of %d dimensions", s.ndim);
    Term y = { .t = cn_bmm(batch_of(a, &p, p.left, p.n_left, p.over, p.n_over),
                           batch_of(b, &p, p.over, p.n_over, p.right, p.n_right)) };
    memcpy(y.label, p.shared, (size_t)p.n_shared * sizeof(int));
    memcpy(y.label + p.n_shared, p.left, (size_t)p.n_left * sizeof(int));
    memcpy(y.label + p.n_shared + p.n_left, p.right, (size_t)p.n_right * sizeof(int));
    for (int i = 0; i < s.ndim; i++) {
        const Term *from = i < p.n_shared + p.n_left ? a : b;
        s.dim[i] = from->t->v.shape.dim[place(from, y.label[i])];
    }
    y.t = cn_reshape(y.t, s);
    *a = y;
    return y.t != NULL;
}

/* Without an arrow: what occurs once, by alphabet, after the ellipsis. */
static int implied_output(const int times[LABELS], int label[CN_MAX_DIMS])
{
    int n = 0;
    for (int l = DOTS; l < LABELS && n < CN_MAX_DIMS; l++)
        if (times[l]) label[n++] = l;
    for (int upper = 1; upper >= 0; upper--)
        for (int l = upper * 26; l < upper * 26 + 26 && n < CN_MAX_DIMS; l++)
            if (times[l] == 1) label[n++] = l;
    return n;
}

static bool einsum_output(Term *y, const int wanted[], int n, const char *equation)
{
    bool needed[LABELS] = { false };
    for (int i = 0; i < n; i++) needed[wanted[i]] = true;
    if (!sum_unneeded(y, NULL, needed)) return false;
    cn_shape order = { .ndim = n };
    for (int i = 0; i < n; i++) {
        int at = place(y, wanted[i]);
        if (at < 0) return bad_equation(equation, "the output has a label that no operand has");
        order.dim[i] = at;
    }
    y->t = cn_permute(y->t, order);
    return y->t != NULL;
}

/* How often each letter is written before the arrow. */
static void count_letters(const char *p, int times[LABELS])
{
    for (; *p && *p != '-'; p++)
        if (isalpha((unsigned char)*p)) times[label_of(*p)]++;
}

/* Marks the dimensions that ellipses stand for; returns the most that one of them does. */
static int count_dots(const Term *terms, int n, int times[LABELS])
{
    int most = 0;
    for (int k = 0; k < n; k++) {
        int dots = 0;
        for (int i = 0; i < terms[k].t->v.shape.ndim; i++)
            if (terms[k].label[i] >= DOTS) times[terms[k].label[i]] = 1, dots++;
        if (dots > most) most = dots;
    }
    return most;
}

static bool read_terms(cn_call *c, Term *terms, const char **p, const char *equation)
{
    for (int k = 0; k < c->n_in; k++) {
        if (!read_term(p, equation, c->in[k], &terms[k])) return false;
        if (k + 1 < c->n_in && *(*p)++ != ',')
            return bad_equation(equation, "more operands than terms");
    }
    return **p != ',' || bad_equation(equation, "more terms than operands");
}

/* Labels of the output and of operands that are still to come are not summed yet. */
static void still_needed(const int wanted[], int n, const Term *from, const Term *end,
                         bool needed[LABELS])
{
    for (int i = 0; i < n; i++) needed[wanted[i]] = true;
    for (; from < end; from++)
        for (int i = 0; i < from->t->v.shape.ndim; i++) needed[from->label[i]] = true;
}

static bool einsum_run(cn_call *c, Term *terms, const char *equation)
{
    const char *p = equation;
    int times[LABELS] = { 0 }, wanted[CN_MAX_DIMS], n;
    if (!read_terms(c, terms, &p, equation)) return false;
    count_letters(equation, times);
    int dots = count_dots(terms, c->n_in, times);
    if (*p == '-' && *++p != '>') return bad_equation(equation, "expected ->");
    if (*p == '>') p++, n = read_labels(&p, dots, wanted);
    else n = implied_output(times, wanted);
    if (n < 0 || *p) return bad_equation(equation, "labels are letters");
    for (int k = 1; k < c->n_in; k++) {
        bool needed[LABELS] = { false };
        still_needed(wanted, n, terms + k + 1, terms + c->n_in, needed);
        if (!multiply(&terms[0], &terms[k], needed)) return false;
    }
    return einsum_output(&terms[0], wanted, n, equation) && cn_set_out(c, 0, terms[0].t);
}

static bool einsum_compose(cn_call *c)
{
    if (c->n_in == 0) return cn_fail(CN_EINVALID, "einsum: no operands");
    Term *terms = cn_alloc((size_t)c->n_in * sizeof *terms);
    bool ok = terms && einsum_run(c, terms, *(const char *const *)c->params);
    cn_free(terms);
    return ok;
}

const cn_op cn_op_einsum = {
    CN_OP_HEAD(einsum, "einsum", "(str equation, Tensor[] operands) -> Tensor"),
    .doc = "Sums of products by Einstein's convention, as in 'bij,bjk->bik'.",
    .params_size = sizeof(char *),
    .compose = einsum_compose,
    .samples =
        "'ij,jk->ik' {[2,3] [3,4]} | 'bij,bjk' {[2,2,3] [2,3,2]} | 'ii' {[3,3]} | 'ii->i' {[3,3]} | "
        "'...ij->...ji' {[2,3,4]} | 'i,j->ij' {[2] [3]} | 'ij,j,kj->k' {[2,3] [3] [4,3]} | "
        "'...i,...i->...' {[2,3,4] [4]} | 'ij->' {[2,3]} | 'nctkv,kvw->nctw' {[1,2,2,2,2] [2,2,3]}",
};

cn_tensor *cn_einsum(const char *equation, cn_tensor *const *operands, int n)
{
    return cn_apply1(&cn_op_einsum, operands, n, &equation);
}
