/* base.h - what everything else stands on: visibility, errors, element types, shapes. */
#ifndef CENOTE_BASE_H
#define CENOTE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CN_BEGIN_DECLS extern "C" {
#define CN_END_DECLS }
#else
#define CN_BEGIN_DECLS
#define CN_END_DECLS
#endif

#if defined(__GNUC__)
#define CN_API __attribute__((visibility("default")))
#define CN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CN_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CN_API
#define CN_PRINTF(fmt, args)
#define CN_MUST_CHECK
#endif

#define CN_VERSION_MAJOR 0
#define CN_VERSION_MINOR 1
#define CN_VERSION_PATCH 0
#define CN_VERSION "0.1.0"

/* No tensor has more dimensions than this. */
#define CN_MAX_DIMS 8

CN_BEGIN_DECLS

/* The version of the library that is running, for example "0.1.0". */
CN_API const char *cn_version(void);

/* The engines that are present, best first, separated by blanks: "onednn simd reference". */
CN_API const char *cn_engines(void);

/* ---- errors -------------------------------------------------------------------------------
   Functions that return objects return NULL on failure, others return false. The first error of
   a thread sticks until it is cleared: later failures, which are usually its consequences, do
   not overwrite it. Functions accept the NULL of a failed call and pass it on, so that one check
   at the end of an expression is enough. */

typedef enum cn_code {
    CN_OK = 0,
    CN_EINVALID = -1,     /* a shape, dtype, index or option that makes no sense */
    CN_ENOMEM = -2,       /* the system or the set limit has no more memory */
    CN_EIO = -3,          /* the operating system could not read or write */
    CN_EFORMAT = -4,      /* a file is not what it claims to be, or is damaged */
    CN_ENOTFOUND = -5,    /* no such file, data set, model, op or option */
    CN_EDIVERGED = -6,    /* the loss became NaN or infinite */
    CN_EINTERRUPTED = -7, /* stopped by the user; what could be saved was saved */
    CN_EUNSUPPORTED = -8  /* this build or this op cannot do that */
} cn_code;

CN_API bool cn_ok(void);           /* true while this thread has no error */
CN_API const char *cn_error(void); /* the message: one line, "" when there is none */
CN_API cn_code cn_error_code(void);
CN_API void cn_error_clear(void);

/* Records an error (if none is recorded yet) and returns false, so that a function can end with
   `return cn_fail(CN_EINVALID, "relu: ...")`. For modules and ops written outside the library. */
CN_API bool cn_fail(cn_code code, const char *fmt, ...) CN_PRINTF(2, 3);

/* Frees a text that a function of this library made for its caller. NULL is fine. */
CN_API void cn_text_free(char *text);

/* ---- element types ------------------------------------------------------------------------ */

typedef enum cn_dtype {
    CN_BOOL = 0,
    CN_U8 = 1,
    CN_I8 = 2,
    CN_I16 = 3,
    CN_I32 = 4,
    CN_I64 = 5,
    CN_F16 = 6,
    CN_BF16 = 7,
    CN_F32 = 8,
    CN_F64 = 9,
    CN_C64 = 10, /* pairs (real part, imaginary part) of float32 */
    CN_C128 = 11 /* and of float64 */
} cn_dtype;

#define CN_NUM_DTYPES 12
#define CN_NO_DTYPE (-1) /* where an optional dtype is not given */

CN_API const char *cn_dtype_name(cn_dtype dtype); /* "float32", as PyTorch says it */
CN_API size_t cn_dtype_size(cn_dtype dtype);      /* bytes per element */
CN_API bool cn_dtype_is_float(cn_dtype dtype);    /* real ones: not complex */
CN_API bool cn_dtype_is_complex(cn_dtype dtype);

/* ---- shapes: outermost dimension first, as in (N, C, H, W) --------------------------------- */

typedef struct cn_shape {
    int ndim;
    int64_t dim[CN_MAX_DIMS];
} cn_shape;

#ifndef __cplusplus
/* CN_SHAPE(2, 3) is a 2 x 3 matrix; cn_scalar_shape() has no dimensions. */
#define CN_SHAPE(...)                                                                              \
    ((cn_shape){ (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), { __VA_ARGS__ } })
#endif
CN_API cn_shape cn_scalar_shape(void);
CN_API cn_shape cn_shape_from(int ndim, const int64_t *dim); /* dimensions past the eighth: error */

/* From a certain member on, members of an option struct are given by name only. */
typedef struct cn_named_only {
    int unused_;
} cn_named_only;

/* ---- runtime ------------------------------------------------------------------------------ */

CN_API void cn_set_threads(int n); /* threads for kernels; 0: as many as the machine offers */
CN_API int cn_threads(void);
/* Seconds on a clock that never goes back, for measuring: the difference of two is what counts. */
CN_API double cn_seconds(void);

CN_END_DECLS
#endif
