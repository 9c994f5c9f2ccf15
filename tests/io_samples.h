/* io_samples.h - what the tests of files share: a folder of their own, tensors with known bytes,
   and one small file of every format in memory. */
#ifndef CN_TESTS_IO_SAMPLES_H
#define CN_TESTS_IO_SAMPLES_H

#include <cenote/io.h>

typedef struct cn_test_bytes {
    const char *name; /* "safetensors" */
    uint8_t *bytes;   /* from malloc */
    size_t size;
} cn_test_bytes;

#ifdef CN_WITH_ZLIB
enum { CN_TEST_SAMPLES = 8 };
#else
enum { CN_TEST_SAMPLES = 6 };
#endif

/* setup and teardown of a test program; the latter fails when a file is left in the folder. */
int cn_test_folder_make(void **state);
int cn_test_folder_remove(void **state);
/* "FOLDER/NAME", in one of a few buffers that are used in turn. */
const char *cn_test_path(const char *name);

/* In the current scope; the elements differ from each other. */
cn_tensor *cn_test_tensor(cn_shape shape, cn_dtype dtype);
void cn_test_same_tensor(const cn_tensor *a, const cn_tensor *b);
cn_test_bytes cn_test_slurp(const char *path);

/* .npy, .npz, .safetensors, .pt, .pt in its old form, and IDX; with zlib also the two below. */
void cn_test_make_samples(cn_test_bytes samples[CN_TEST_SAMPLES]);
void cn_test_free_samples(cn_test_bytes samples[CN_TEST_SAMPLES]);

/* 100 zeros of uint8 as a deflated .npz; uint8 (2, 3), 1 to 6, as IDX in gzip. */
cn_test_bytes cn_test_deflated_npz(void);
cn_test_bytes cn_test_idx_gz(void);

/* Checks and clears the error. */
void cn_test_expect_error(cn_code code, const char *part);

#endif
