/* numbers.c - conj, angle, and what arithmetic, roots and exponentials do with complex numbers. */
#include "ops/complex/complex.h"

#include <math.h>

cn_pair cn_pair_of(cn_tensor *t)
{
    if (!t) return (cn_pair){ NULL, NULL };
    bool is_complex = cn_dtype_is_complex(t->v.dtype);
    return (cn_pair){ cn_real(t),
                      is_complex ? cn_imag(t) : cn_zeros(cn_scalar_shape(), t->v.dtype) };
}

cn_pair cn_pair_in(const cn_call *c, int i)
{
    return cn_pair_of(cn_to(c->in[i], cn_result_type(c->in, c->n_in)));
}

bool cn_set_pair(cn_call *c, cn_tensor *re, cn_tensor *im)
{
    return cn_set_out(c, 0, cn_complex(re, im));
}

/* ---- conj, abs, angle ---------------------------------------------------------------------- */

cn_tensor *cn_conj(cn_tensor *input)
{
    if (!input || !cn_dtype_is_complex(input->v.dtype)) return input;
    return cn_complex(cn_real(input), cn_neg(cn_imag(input)));
}

static bool conj_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_conj(c->in[0]));
}

const cn_op cn_op_conj = {
    CN_OP_HEAD(conj, "conj", "(Tensor input) -> Tensor"),
    .aliases = "conj_physical resolve_conj",
    .doc = "The complex conjugates; of what is not complex the input itself.",
    .compose = conj_compose,
    .samples = "c[2,3] | [2] | c[] | c[0]",
};

/* Where t is 0, 1 for its real part: a place to differentiate at. */
static cn_pair away_from_zero(cn_tensor *t, cn_tensor **is_zero)
{
    cn_pair p = cn_pair_of(t);
    cn_tensor *none = cn_number_i64(0);
    *is_zero = cn_logical_and(cn_eq(p.re, none), cn_eq(p.im, none));
    p.re = cn_masked_fill(p.re, *is_zero, cn_number_i64(1));
    return p;
}

cn_tensor *cn_modulus(cn_tensor *t)
{
    cn_tensor *is_zero;
    cn_pair p = away_from_zero(t, &is_zero);
    return cn_masked_fill(CN_CALL(hypot, NULL, p.re, p.im), is_zero, cn_number_i64(0));
}

bool cn_complex_abs(cn_call *c)
{
    return cn_set_out(c, 0, cn_modulus(c->in[0]));
}

/* NaN stays what it is. */
static cn_tensor *angle_of_real(cn_tensor *x)
{
    if (!cn_dtype_is_float(x->v.dtype)) x = cn_to(x, CN_F32);
    cn_tensor *half_turn = x ? cn_full(cn_scalar_shape(), acos(-1.0), x->v.dtype) : NULL;
    cn_tensor *turned = cn_where(cn_lt(x, cn_number_i64(0)), half_turn, cn_number_i64(0));
    return cn_where(cn_isnan(x), x, turned);
}

cn_tensor *cn_angle(cn_tensor *input)
{
    if (!input) return NULL;
    if (!cn_dtype_is_complex(input->v.dtype)) return angle_of_real(input);
    cn_pair p = cn_pair_of(input);
    if (!cn_grad_enabled() || !input->requires_grad) return cn_atan2(p.im, p.re);
    cn_tensor *is_zero, *there = cn_detach(cn_atan2(p.im, p.re));
    p = away_from_zero(input, &is_zero);
    return cn_where(is_zero, there, cn_atan2(p.im, p.re));
}

static bool angle_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_angle(c->in[0]));
}

const cn_op cn_op_angle = {
    CN_OP_HEAD(angle, "angle", "(Tensor input) -> Tensor"),
    .doc = "The angle with the positive real axis, in radians: 0 or pi where not complex.",
    .compose = angle_compose,
    .samples = "c[2,3] | [2,3] | i64<3[3] | c[] | c[0]",
};

/* ---- arithmetic ---------------------------------------------------------------------------- */

/* The parameters of add and sub are a factor of other. */
static bool combine(cn_call *c, const cn_op *op)
{
    cn_pair a = cn_pair_in(c, 0), b = cn_pair_in(c, 1);
    return cn_set_pair(c, cn_apply1(op, (cn_tensor *[]){ a.re, b.re }, 2, c->params),
                       cn_apply1(op, (cn_tensor *[]){ a.im, b.im }, 2, c->params));
}

bool cn_complex_add(cn_call *c)
{
    return combine(c, &cn_op_add);
}

bool cn_complex_sub(cn_call *c)
{
    return combine(c, &cn_op_sub);
}

typedef cn_tensor *Product(cn_tensor *, cn_tensor *);

static cn_pair product(cn_pair a, cn_pair b, Product *times)
{
    return (cn_pair){ cn_sub(times(a.re, b.re), times(a.im, b.im)),
                      cn_add(times(a.re, b.im), times(a.im, b.re)) };
}

static bool set_product(cn_call *c, Product *times)
{
    cn_pair y = product(cn_pair_in(c, 0), cn_pair_in(c, 1), times);
    return cn_set_pair(c, y.re, y.im);
}

bool cn_complex_mul(cn_call *c)
{
    return set_product(c, cn_mul);
}

bool cn_complex_square(cn_call *c)
{
    cn_pair a = cn_pair_in(c, 0), y = product(a, a, cn_mul);
    return cn_set_pair(c, y.re, y.im);
}

/* mm and bmm take operands of one type only. */
static bool matrix_product(cn_call *c, Product *times)
{
    cn_dtype a = c->in[0]->v.dtype, b = c->in[1]->v.dtype;
    if (a != b)
        return cn_fail(CN_EINVALID, "%s: operands of one type are wanted, not %s and %s",
                       c->op->name, cn_dtype_name(a), cn_dtype_name(b));
    return set_product(c, times);
}

bool cn_complex_mm(cn_call *c)
{
    return matrix_product(c, cn_mm);
}

bool cn_complex_bmm(cn_call *c)
{
    return matrix_product(c, cn_bmm);
}

/* a / b = a conj(b) / |b|^2, with b scaled so that its larger part is 1: no overflow between. */
static cn_pair quotient(cn_pair a, cn_pair b)
{
    cn_tensor *size = cn_detach(cn_maximum(cn_abs(b.re), cn_abs(b.im)));
    b.re = cn_div(b.re, size), b.im = cn_div(b.im, size);
    cn_tensor *length = cn_mul(cn_add(cn_mul(b.re, b.re), cn_mul(b.im, b.im)), size);
    cn_pair y = product(a, (cn_pair){ b.re, cn_neg(b.im) }, cn_mul);
    return (cn_pair){ cn_div(y.re, length), cn_div(y.im, length) };
}

bool cn_complex_div(cn_call *c)
{
    cn_pair y = quotient(cn_pair_in(c, 0), cn_pair_in(c, 1));
    return cn_set_pair(c, y.re, y.im);
}

bool cn_complex_reciprocal(cn_call *c)
{
    cn_pair one = cn_pair_of(cn_ones(cn_scalar_shape(), cn_dtype_real_of(c->in[0]->v.dtype)));
    cn_pair y = quotient(one, cn_pair_in(c, 0));
    return cn_set_pair(c, y.re, y.im);
}

bool cn_complex_eq(cn_call *c)
{
    cn_pair a = cn_pair_in(c, 0), b = cn_pair_in(c, 1);
    return cn_set_out(c, 0, cn_logical_and(cn_eq(a.re, b.re), cn_eq(a.im, b.im)));
}

bool cn_complex_ne(cn_call *c)
{
    cn_pair a = cn_pair_in(c, 0), b = cn_pair_in(c, 1);
    return cn_set_out(c, 0, cn_logical_or(cn_ne(a.re, b.re), cn_ne(a.im, b.im)));
}

/* ---- exponentials, logarithms, roots ------------------------------------------------------- */

static bool set_polar(cn_call *c, cn_tensor *size, cn_tensor *angle)
{
    return cn_set_pair(c, cn_mul(size, cn_cos(angle)), cn_mul(size, cn_sin(angle)));
}

bool cn_complex_exp(cn_call *c)
{
    cn_pair x = cn_pair_in(c, 0);
    return set_polar(c, cn_exp(x.re), x.im);
}

bool cn_complex_log(cn_call *c)
{
    return cn_set_pair(c, cn_log(cn_modulus(c->in[0])), cn_angle(c->in[0]));
}

/* Half the angle, the root of the size. */
bool cn_complex_sqrt(cn_call *c)
{
    cn_tensor *half = cn_mul(cn_angle(c->in[0]), cn_number(0.5));
    return set_polar(c, cn_root(cn_modulus(c->in[0])), half);
}

bool cn_complex_sin(cn_call *c)
{
    cn_pair x = cn_pair_in(c, 0);
    return cn_set_pair(c, cn_mul(cn_sin(x.re), cn_cosh(x.im)), cn_mul(cn_cos(x.re), cn_sinh(x.im)));
}

bool cn_complex_cos(cn_call *c)
{
    cn_pair x = cn_pair_in(c, 0);
    return cn_set_pair(c, cn_mul(cn_cos(x.re), cn_cosh(x.im)),
                       cn_neg(cn_mul(cn_sin(x.re), cn_sinh(x.im))));
}
