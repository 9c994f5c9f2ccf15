/* test_dlpack.c - tensors shared with other libraries: the same elements, and each deleter once. */
#include "core/memory.h"
#include "core/tensor.h"
#include "io_samples.h"

#include <cenote/dlpack.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int deleted;

static void count_managed(cn_dl_managed *m)
{
    (void)m;
    deleted++;
}

static void count_versioned(cn_dl_versioned *m)
{
    (void)m;
    deleted++;
}

/* float32 at `data`, of two dimensions. */
static cn_dl_managed managed(float *data, int64_t *shape, int64_t *strides)
{
    return (cn_dl_managed){ .tensor = { .data = data,
                                        .device = { CN_DL_CPU, 0 },
                                        .ndim = 2,
                                        .dtype = { CN_DL_FLOAT, 32, 1 },
                                        .shape = shape,
                                        .strides = strides },
                            .deleter = count_managed };
}

static void what_is_given_comes_back(void **state)
{
    (void)state;
    int64_t live = cn_live_tensors();
    size_t mark = cn_mark();
    for (int dtype = 0; dtype < CN_NUM_DTYPES; dtype++) {
        cn_tensor *t = cn_test_tensor(CN_SHAPE(2, 3), (cn_dtype)dtype);
        cn_dl_managed *m = cn_to_dlpack(t);
        assert_ptr_equal(m->tensor.data, t->v.data);
        cn_tensor *back = cn_from_dlpack(m);
        cn_test_same_tensor(back, t);
        assert_ptr_equal(back->v.data, t->v.data);
        cn_dl_versioned *n = cn_to_dlpack_versioned(t);
        assert_int_equal(n->version.major, 1);
        assert_int_equal(n->tensor.strides[0], 3);
        cn_tensor *again = cn_from_dlpack_versioned(n);
        assert_ptr_equal(again->v.data, t->v.data);
    }
    cn_dl_managed *alone = cn_to_dlpack(cn_test_tensor(CN_SHAPE(2), CN_F32));
    cn_release(mark);
    assert_true(((float *)alone->tensor.data)[1] == 2);
    alone->deleter(alone);
    assert_int_equal(cn_live_tensors(), live);
}

static void strides_and_offsets_are_followed(void **state)
{
    (void)state;
    float x[6] = { 0, 1, 2, 3, 4, 5 };
    int64_t shape[] = { 2, 2 }, strides[] = { -3, 2 };
    size_t mark = cn_mark();
    cn_dl_managed m = managed(x, shape, strides);
    m.tensor.byte_offset = 3 * sizeof *x;
    deleted = 0;
    cn_tensor *t = cn_keep(cn_from_dlpack(&m));
    static const double wanted[] = { 3, 5, 0, 2 };
    double got[4];
    assert_true(cn_read(t, CN_F64, got, 4));
    assert_memory_equal(got, wanted, sizeof got);
    x[5] = 7;
    assert_true(cn_at(t, CN_SHAPE(0, 1)) == 7);
    cn_release(mark);
    assert_int_equal(deleted, 0);
    cn_drop(t);
    assert_int_equal(deleted, 1);
    m = managed(x, shape, NULL);
    t = cn_from_dlpack(&m);
    assert_true(cn_is_contiguous(t) && cn_at(t, CN_SHAPE(1, 0)) == 2);
    cn_release(mark);
    assert_int_equal(deleted, 2);
}

static void read_only_and_empty_are_copied(void **state)
{
    (void)state;
    float x[4] = { 1, 2, 3, 4 };
    int64_t shape[] = { 2, 2 };
    size_t mark = cn_mark();
    cn_dl_managed m = managed(x, shape, NULL);
    cn_dl_versioned v = { .version = { 1, 9 },
                          .deleter = count_versioned,
                          .flags = CN_DL_READ_ONLY,
                          .tensor = m.tensor };
    deleted = 0;
    cn_tensor *t = cn_from_dlpack_versioned(&v);
    assert_int_equal(deleted, 1);
    x[0] = 9;
    assert_true(cn_at(t, CN_SHAPE(0, 0)) == 1);
    shape[0] = 0;
    m = managed(NULL, shape, NULL);
    t = cn_from_dlpack(&m);
    assert_int_equal(cn_numel(t), 0);
    assert_int_equal(deleted, 2);
    cn_release(mark);
}

static void expect_refused(cn_dl_managed m, cn_code code, const char *part)
{
    assert_null(cn_from_dlpack(&m));
    cn_test_expect_error(code, part);
}

static void what_cannot_be_shared_is_refused(void **state)
{
    (void)state;
    float x[4] = { 1, 2, 3, 4 };
    int64_t shape[] = { 2, 2 }, huge[] = { INT64_MAX, 2 }, far[] = { INT64_MAX, 1 };
    int64_t negative[] = { -1, 2 };
    const cn_dl_managed good = managed(x, shape, NULL);
    cn_dl_managed m = good;
    deleted = 0;
    assert_null(cn_from_dlpack(NULL));
    cn_test_expect_error(CN_EINVALID, "NULL");
    m.tensor.device.type = CN_DL_CUDA;
    expect_refused(m, CN_EUNSUPPORTED, "device 2:0");
    m = good, m.tensor.dtype.lanes = 4;
    expect_refused(m, CN_EUNSUPPORTED, "4 lanes");
    m = good, m.tensor.dtype.bits = 8;
    expect_refused(m, CN_EUNSUPPORTED, "8 bits");
    m = good, m.tensor.ndim = 9;
    expect_refused(m, CN_EUNSUPPORTED, "9 dimensions");
    m = good, m.tensor.byte_offset = 2;
    expect_refused(m, CN_EUNSUPPORTED, "not aligned");
    m = good, m.tensor.data = NULL;
    expect_refused(m, CN_EINVALID, "NULL");
    expect_refused(managed(x, huge, NULL), CN_EINVALID, "");
    expect_refused(managed(x, negative, NULL), CN_EINVALID, "");
    expect_refused(managed(x, shape, far), CN_EINVALID, "too large");
    cn_dl_versioned v = { .version = { 2, 0 }, .tensor = good.tensor };
    assert_null(cn_from_dlpack_versioned(&v));
    cn_test_expect_error(CN_EUNSUPPORTED, "version 2");
    assert_int_equal(deleted, 0);
    size_t mark = cn_mark();
    cn_tensor *t = cn_test_tensor(CN_SHAPE(2), CN_F32);
    t->requires_grad = true;
    assert_null(cn_to_dlpack(t));
    cn_test_expect_error(CN_EINVALID, "cn_detach");
    cn_release(mark);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    float x[4] = { 1, 2, 3, 4 };
    int64_t shape[] = { 2, 2 };
    cn_tensor *t = NULL;
    for (int64_t n = 0; !t && n < 100; n++) {
        size_t mark = cn_mark(), live = cn_memory().live_bytes;
        cn_dl_managed m = managed(x, shape, NULL);
        deleted = 0;
        cn_alloc_fail_after(n);
        t = cn_from_dlpack(&m);
        cn_alloc_fail_after(-1);
        assert_int_equal(deleted, 0);
        cn_error_clear();
        cn_release(mark);
        assert_int_equal(deleted, t != NULL);
        assert_int_equal(cn_memory().live_bytes, live);
    }
    assert_non_null(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_comes_back),
        cmocka_unit_test(strides_and_offsets_are_followed),
        cmocka_unit_test(read_only_and_empty_are_copied),
        cmocka_unit_test(what_cannot_be_shared_is_refused),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests_name("dlpack", tests, NULL, NULL);
}
