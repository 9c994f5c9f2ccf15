/* frames.c - the short-time Fourier transform: overlapping windows of a signal, each transformed, and the
   way back by adding what overlaps (Griffin and Lim, 1984). */
#include "ops/fft/transform.h"

#include <string.h>

typedef struct {
    int64_t n_fft;
    cn_opt_int hop_length, win_length;
    bool center;
    const char *pad_mode;
    bool normalized;
    cn_opt_bool onesided, return_complex, align_to_window;
} Stft;

typedef struct {
    int64_t n_fft;
    cn_opt_int hop_length, win_length;
    bool center, normalized;
    cn_opt_bool onesided;
    cn_opt_int length;
    bool return_complex;
} Istft;

/* What both ways share. */
typedef struct {
    int64_t n_fft, hop, win;
    bool ortho;
    cn_tensor *window; /* n_fft numbers, zeros around those given; NULL: ones */
} Frames;

static bool read_frames(const cn_call *c, int64_t n_fft, cn_opt_int hop, cn_opt_int win, Frames *f)
{
    cn_tensor *window = c->n_in > 1 ? c->in[1] : NULL;
    f->n_fft = n_fft;
    f->hop = hop.given ? hop.value : n_fft / 4;
    f->win = win.given ? win.value : n_fft;
    if (n_fft < 1 || f->hop < 1 || f->win < 1 || f->win > n_fft)
        return cn_fail(
            CN_EINVALID,
            "%s: 1 <= win_length <= n_fft and hop_length >= 1 are wanted, not win_length "
            "%lld, n_fft %lld, hop_length %lld",
            c->op->name, (long long)f->win, (long long)n_fft, (long long)f->hop);
    if (window && (window->v.shape.ndim != 1 || window->v.numel != f->win))
        return cn_fail(CN_EINVALID, "%s: the window must be a vector of win_length = %lld numbers",
                       c->op->name, (long long)f->win);
    f->window = window;
    if (f->win == n_fft) return true;
    if (!window) window = cn_ones(CN_SHAPE(f->win), cn_dtype_real_of(c->in[0]->v.dtype));
    int64_t before = (n_fft - f->win) / 2, after = n_fft - f->win - before;
    f->window = window ? cn_constant_pad_nd(window, CN_SHAPE(before, after), 0) : NULL;
    return f->window != NULL;
}

/* Where the elements of `count` windows stand in the signal, window after window. */
static cn_tensor *places(const Frames *f, int64_t count)
{
    cn_tensor *at = cn_empty(CN_SHAPE(count * f->n_fft), CN_I64);
    int64_t *to = at ? (int64_t *)(void *)at->v.data : NULL;
    for (int64_t k = 0; at && k < count; k++)
        for (int64_t i = 0; i < f->n_fft; i++) *to++ = k * f->hop + i;
    return at;
}

static cn_tensor *windowed(const Frames *f, cn_tensor *frames)
{
    return f->window ? cn_mul(frames, f->window) : frames;
}

static const char *norm_of(const Frames *f)
{
    return f->ortho ? "ortho" : NULL;
}

/* ---- stft ---------------------------------------------------------------------------------- */

static bool read_mode(const char *word, cn_pad_mode *mode)
{
    static const char *const words[] = { "constant", "reflect", "replicate", "circular" };
    for (int i = 0; i < (int)CN_COUNT(words); i++)
        if (strcmp(word, words[i]) == 0) return *mode = (cn_pad_mode)i, true;
    return cn_fail(CN_EINVALID, "stft: there is no pad_mode '%s'", word);
}

/* (B, L), with margins of half a window when frames are centred on their samples. */
static cn_tensor *signal_of(const cn_call *c, const Stft *p)
{
    cn_tensor *x = c->in[0];
    if (!cn_dtype_is_float(x->v.dtype) && !cn_dtype_is_complex(x->v.dtype)) {
        cn_fail(CN_EINVALID, "stft: a float or complex signal is wanted, not %s",
                cn_dtype_name(x->v.dtype));
        return NULL;
    }
    if (x->v.shape.ndim == 1) x = cn_unsqueeze(x, 0);
    cn_pad_mode mode = CN_PAD_REFLECT;
    if (!p->center || !x) return x;
    if (p->pad_mode && !read_mode(p->pad_mode, &mode)) return NULL;
    cn_shape half = CN_SHAPE(p->n_fft / 2, p->n_fft / 2);
    x = cn_unsqueeze(x, 1); /* a channel, which padding modes ask for */
    x = x ? cn_pad(x, half, .mode = mode) : NULL;
    return x ? cn_squeeze(x, CN_SHAPE(1)) : NULL;
}

static cn_tensor *spectra(const Frames *f, cn_tensor *x, int64_t count, bool onesided)
{
    cn_tensor *at = places(f, count);
    cn_tensor *y = at ? cn_index_select(x, 1, at) : NULL;
    y = y ? windowed(f, cn_reshape(y, CN_SHAPE(x->v.shape.dim[0], count, f->n_fft))) : NULL;
    const cn_fft_line line = { .dim = -1, .norm = norm_of(f) };
    y = !y ? NULL : onesided ? CN_CALL(fft_rfft, &line, y) : CN_CALL(fft_fft, &line, y);
    return y ? cn_transpose(y, 1, 2) : NULL;
}

static bool stft_fits(const cn_call *c, const Stft *p, bool is_complex, bool onesided)
{
    if (is_complex && onesided)
        return cn_fail(CN_EINVALID, "stft: onesided is for real signals and windows only");
    if (!p->return_complex.given && !is_complex)
        return cn_fail(CN_EINVALID, "stft: return_complex must be given for a real signal");
    if (p->align_to_window.given && p->center)
        return cn_fail(CN_EINVALID, "stft: align_to_window is for center=False only");
    return !p->align_to_window.value ||
           cn_fail(CN_EUNSUPPORTED, "%s: align_to_window=True is not supported", c->op->name);
}

static bool stft_compose(cn_call *c)
{
    const Stft *p = c->params;
    Frames f = { .ortho = p->normalized };
    if (!cn_want_dims(c, 0, 1, 2) || !read_frames(c, p->n_fft, p->hop_length, p->win_length, &f))
        return false;
    bool is_complex = cn_dtype_is_complex(c->in[0]->v.dtype) ||
                      (f.window && cn_dtype_is_complex(f.window->v.dtype));
    bool onesided = p->onesided.given ? p->onesided.value : !is_complex;
    if (!stft_fits(c, p, is_complex, onesided)) return false;
    cn_tensor *x = signal_of(c, p);
    if (!x) return false;
    int64_t length = x->v.shape.dim[1];
    if (f.n_fft > length)
        return cn_fail(CN_EINVALID, "stft: n_fft is %lld, but the signal has %lld samples",
                       (long long)f.n_fft, (long long)length);
    cn_tensor *y = spectra(&f, x, (length - f.n_fft) / f.hop + 1, onesided);
    if (y && c->in[0]->v.shape.ndim == 1) y = cn_squeeze(y, CN_SHAPE(0));
    if (y && p->return_complex.given && !p->return_complex.value) y = cn_view_as_real(y);
    return cn_set_out(c, 0, y);
}

const cn_op cn_op_stft = {
    CN_OP_HEAD(stft, "stft",
               "(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? "
               "window=None, bool center=True, str pad_mode='reflect', bool normalized=False, "
               "bool? onesided=None, bool? return_complex=None, bool? align_to_window=None) -> "
               "Tensor"),
    .doc = "Fourier transforms of windows of n_fft samples, hop_length apart: (batch, frequency, "
           "window).",
    .params_size = sizeof(Stft),
    .optional = CN_SAVE_IN(1),
    .compose = stft_compose,
    .samples = "[12] 4 return_complex=True | [2,9] 4 2 3 return_complex=True | "
               "[2,10] 5 2 window=+[5] normalized=True return_complex=True | "
               "[8] 4 1 4 +[4] False onesided=False return_complex=True | "
               "[2,8] 4 pad_mode=constant return_complex=False | c[10] 4 2 center=False",
};

/* ---- istft --------------------------------------------------------------------------------- */

/* Adds what overlaps: (B, windows, n_fft) to (B, length). */
static cn_tensor *overlapped(cn_tensor *frames, cn_tensor *at, int64_t length)
{
    if (!frames || !at) return NULL;
    int64_t batch = frames->v.shape.dim[0];
    cn_tensor *sum = cn_zeros(CN_SHAPE(batch, length), frames->v.dtype);
    return sum ? cn_index_add(sum, 1, at, cn_reshape(frames, CN_SHAPE(batch, at->v.numel))) : NULL;
}

/* One-sided spectra are those of real signals; the other half of two-sided ones adds nothing then. */
static cn_tensor *signals(const Frames *f, const Istft *p, cn_tensor *spectra_in)
{
    cn_fft_line line = { .n = { true, f->n_fft }, .dim = -1, .norm = norm_of(f) };
    cn_tensor *t = cn_transpose(spectra_in, 1, 2);
    if (!t || p->return_complex) return t ? CN_CALL(fft_ifft, &line, t) : NULL;
    return CN_CALL(fft_irfft, &line, cn_narrow(t, 2, 0, f->n_fft / 2 + 1));
}

/* The sum of the squared windows that cover each sample. */
static cn_tensor *envelope(const Frames *f, cn_tensor *at, int64_t length, cn_dtype dtype)
{
    cn_tensor *w = f->window ? f->window : cn_ones(CN_SHAPE(f->n_fft), cn_dtype_real_of(dtype));
    int64_t count = at ? at->v.numel / f->n_fft : 0;
    w = w ? cn_expand(cn_mul(w, w), CN_SHAPE(1, count, f->n_fft)) : NULL;
    return overlapped(w, at, length);
}

/* The part that is wanted, over the envelope, filled up with zeros. */
static cn_tensor *trimmed(const Istft *p, cn_tensor *y, cn_tensor *weight)
{
    int64_t whole = y->v.shape.dim[1], start = p->center ? p->n_fft / 2 : 0;
    int64_t end = p->length.given ? start + p->length.value : p->center ? whole - start : whole;
    int64_t stop = end < whole ? end : whole;
    if (stop <= start) {
        cn_fail(CN_EINVALID, "istft: no samples are left of %lld", (long long)whole);
        return NULL;
    }
    y = cn_narrow(y, 1, start, stop - start), weight = cn_narrow(weight, 1, start, stop - start);
    cn_tensor *least = weight ? cn_amin(cn_abs(weight)) : NULL;
    if (!least) return NULL;
    if (cn_item(least) < 1e-11) {
        cn_fail(CN_EINVALID, "istft: the windows leave samples uncovered; take a smaller "
                             "hop_length or another window");
        return NULL;
    }
    y = cn_div(y, weight);
    return end > stop ? cn_constant_pad_nd(y, CN_SHAPE(0, end - stop), 0) : y;
}

static bool istft_fits(const cn_call *c, const Istft *p)
{
    const cn_view *v = &c->in[0]->v;
    int nd = v->shape.ndim;
    if (!cn_want_dims(c, 0, 2, 3)) return false;
    if (!cn_dtype_is_complex(v->dtype) || v->numel == 0)
        return cn_fail(CN_EINVALID, "istft: complex spectra are wanted, at least one of them");
    int64_t have = v->shape.dim[nd - 2];
    bool onesided = p->onesided.given ? p->onesided.value : have != p->n_fft;
    int64_t want = onesided ? p->n_fft / 2 + 1 : p->n_fft;
    if (have != want)
        return cn_fail(CN_EINVALID, "istft: %lld frequencies are wanted of n_fft %lld, not %lld",
                       (long long)want, (long long)p->n_fft, (long long)have);
    return !(p->return_complex && onesided) ||
           cn_fail(CN_EINVALID, "istft: a complex signal has no one-sided spectra");
}

static bool istft_compose(cn_call *c)
{
    const Istft *p = c->params;
    Frames f = { .ortho = p->normalized };
    if (!istft_fits(c, p) || !read_frames(c, p->n_fft, p->hop_length, p->win_length, &f))
        return false;
    if (f.hop > f.win)
        return cn_fail(CN_EINVALID, "istft: hop_length %lld is longer than win_length %lld",
                       (long long)f.hop, (long long)f.win);
    bool single = c->in[0]->v.shape.ndim == 2;
    cn_tensor *x = single ? cn_unsqueeze(c->in[0], 0) : c->in[0];
    if (!x) return false;
    int64_t count = x->v.shape.dim[2], length = f.n_fft + f.hop * (count - 1);
    cn_tensor *at = places(&f, count), *frames = signals(&f, p, x);
    cn_tensor *y = frames ? overlapped(windowed(&f, frames), at, length) : NULL;
    cn_tensor *weight = y ? envelope(&f, at, length, x->v.dtype) : NULL;
    y = weight ? trimmed(p, y, weight) : NULL;
    return cn_set_out(c, 0, y && single ? cn_squeeze(y, CN_SHAPE(0)) : y);
}

const cn_op cn_op_istft = {
    CN_OP_HEAD(istft, "istft",
               "(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? "
               "window=None, bool center=True, bool normalized=False, bool? onesided=None, int? "
               "length=None, bool return_complex=False) -> Tensor"),
    .doc = "The signal whose stft comes closest to input: windows are added where they overlap.",
    .params_size = sizeof(Istft),
    .optional = CN_SAVE_IN(1),
    .compose = istft_compose,
    .samples = "c[3,4] 4 | c[2,3,5] 4 2 window=+[4] | c[3,5] 4 1 3 normalized=True length=4 | "
               "c[4,5] 4 1 window=+[4] center=False return_complex=True | "
               "c[2,3,4] 5 2 length=9",
};
