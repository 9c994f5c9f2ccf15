/* lapack.c - the provider of LAPACK's decompositions, through LAPACKE, which is loaded for the first
   matrix that is large enough. */
#include "core/library.h"
#include "core/provider.h"
#include "ops/internal.h"
#include "ops/linalg/decompose.h"

#include <lapacke.h>
#include <pthread.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* Below SMALLEST the conversion to columns and the call cost more than they save; below
   WORTH_THREADS waking threads, as the BLAS beneath may do, costs more than they do. */
enum { SMALLEST = 32, WORTH_THREADS = 512 };

/* A negative number means that LAPACKE had no memory: the arguments are right. */
static int64_t status(lapack_int info)
{
    if (info >= 0) return info;
    cn_fail(CN_ENOMEM, "LAPACK: error %d, most likely no memory", (int)info);
    return CN_NO_WORKSPACE;
}

/* The routines for one type; prototypes that differ in that type only. */
#define ROUTINES(letter, name)                                                                     \
    static struct {                                                                                \
        __typeof__(LAPACKE_##letter##getrf) *getrf;                                                \
        __typeof__(LAPACKE_##letter##potrf) *potrf;                                                \
        __typeof__(LAPACKE_##letter##geqrf) *geqrf;                                                \
        __typeof__(LAPACKE_##letter##orgqr) *orgqr;                                                \
        __typeof__(LAPACKE_##letter##syevd) *syevd;                                                \
        __typeof__(LAPACKE_##letter##geev) *geev;                                                  \
        __typeof__(LAPACKE_##letter##gesdd) *gesdd;                                                \
    } name;                                                                                        \
    static const cn_symbol name##_symbols[] = {                                                    \
        { "LAPACKE_" #letter "getrf", &name.getrf }, { "LAPACKE_" #letter "potrf", &name.potrf },  \
        { "LAPACKE_" #letter "geqrf", &name.geqrf }, { "LAPACKE_" #letter "orgqr", &name.orgqr },  \
        { "LAPACKE_" #letter "syevd", &name.syevd }, { "LAPACKE_" #letter "gesdd", &name.gesdd },  \
        { "LAPACKE_" #letter "geev", &name.geev },                                                 \
    };
ROUTINES(s, singles)
ROUTINES(d, doubles)
#undef ROUTINES

static bool loaded;

/* NaN is looked for where it matters, not by LAPACKE. */
static void load(void)
{
    static const char file[] = "liblapacke.so.3";
    __typeof__(LAPACKE_set_nancheck) *set_nancheck;
    const cn_symbol setting = { "LAPACKE_set_nancheck", &set_nancheck };
    loaded = cn_library_load(file, singles_symbols, (int)CN_COUNT(singles_symbols)) &&
             cn_library_load(file, doubles_symbols, (int)CN_COUNT(doubles_symbols)) &&
             cn_library_load(file, &setting, 1);
    if (loaded) set_nancheck(0);
}

#define T float
#define NAME(x) x##_f32
#define LAPACK(x) singles.x
#include "backends/lapack/lapack.inc"

#define T double
#define NAME(x) x##_f64
#define LAPACK(x) doubles.x
#include "backends/lapack/lapack.inc"

static const cn_decompositions lapack_f32 = { lu_f32,   cholesky_f32, qr_f32, reflections_f32,
                                              eigh_f32, svd_f32,      eig_f32 };
static const cn_decompositions lapack_f64 = { lu_f64,   cholesky_f64, qr_f64, reflections_f64,
                                              eigh_f64, svd_f64,      eig_f64 };

static const cn_decompositions *routines(const cn_call *c)
{
    return cn_in(c, 0)->dtype == CN_F32 ? &lapack_f32 : &lapack_f64;
}

static int64_t shorter_side(const cn_call *c)
{
    const cn_shape *s = &cn_in(c, 0)->shape;
    int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1];
    return m < n ? m : n;
}

typedef bool Decompose(const cn_call *c, const cn_decompositions *by);

static bool run(const cn_call *c, Decompose *decompose)
{
#ifdef _OPENMP
    int threads = omp_get_max_threads();
    if (shorter_side(c) < WORTH_THREADS) omp_set_num_threads(1);
    bool ok = decompose(c, routines(c));
    omp_set_num_threads(threads);
    return ok;
#else
    return decompose(c, routines(c));
#endif
}

static bool lu_kernel(const cn_call *c)
{
    return run(c, cn_run_lu);
}

static bool cholesky_kernel(const cn_call *c)
{
    return run(c, cn_run_cholesky);
}

static bool qr_kernel(const cn_call *c)
{
    return run(c, cn_run_qr);
}

static bool eigh_kernel(const cn_call *c)
{
    return run(c, cn_run_eigh);
}

static bool eig_kernel(const cn_call *c)
{
    return run(c, cn_run_eig);
}

static bool svd_kernel(const cn_call *c)
{
    return run(c, cn_run_svd);
}

static cn_kernel *kernel_of(int id)
{
    switch (id) {
    case CN_OP_ID_lu_factor_ex: return lu_kernel;
    case CN_OP_ID_cholesky_ex: return cholesky_kernel;
    case CN_OP_ID_linalg_qr: return qr_kernel;
    case CN_OP_ID_linalg_eig: return eig_kernel;
    case CN_OP_ID_linalg_eigh: return eigh_kernel;
    case CN_OP_ID_linalg_svd: return svd_kernel;
    default: return NULL;
    }
}

static cn_kernel *find(const cn_call *c, const char **why)
{
    cn_kernel *kernel = kernel_of(c->op->id);
    const cn_shape *s = &cn_in(c, 0)->shape;
    int64_t m = s->dim[s->ndim - 2], n = s->dim[s->ndim - 1], longer = m > n ? m : n;
    *why = "too small to be worth the call";
    if (shorter_side(c) < SMALLEST) return NULL;
    *why = "too large for its integers"; /* full factors are square */
    if (longer > INT32_MAX / longer) return NULL;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *why = "liblapacke.so.3 is not installed";
    return loaded ? kernel : NULL;
}

static bool probe(void)
{
    return true;
}

static bool knows(int op)
{
    return kernel_of(op) != NULL;
}

extern const cn_provider cn_provider_lapack;
const cn_provider cn_provider_lapack = { sizeof(cn_provider), "lapack", probe, knows, find, NULL };
