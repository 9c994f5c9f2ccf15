/* test_torch.c - PyTorch's files: what torch.save() wrote is read, what we write is read again, and a
   pickle that wants anything else is refused, whatever it is. */
#include "core/file.h"
#include "core/tensor.h"
#include "io/formats.h"
#include "io_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BYTES(text) text, sizeof(text) - 1

/* ---- what PyTorch wrote (tools/golden_files.py) ------------------------------------------------ */

static cn_dict *load_golden(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/%s.pt", name);
    cn_dict *d = cn_load(path);
    if (!d) print_error("%s\n", cn_error());
    assert_non_null(d);
    return d;
}

static void expect_values(const cn_dict *d, const char *key, cn_dtype dtype, cn_shape shape,
                          const double *values)
{
    double got[32];
    const cn_tensor *t = cn_dict_tensor(d, key);
    assert_non_null(t);
    assert_int_equal(cn_dtype_of(t), dtype);
    assert_true(cn_shape_equal(cn_shape_of(t), &shape));
    assert_true(cn_read(t, CN_F64, got, cn_numel(t)));
    for (int64_t i = 0; i < cn_numel(t); i++) assert_true(got[i] == values[i]);
}

#define EXPECT(d, key, dtype, shape, ...)                                                          \
    expect_values(d, key, dtype, shape, (const double[]){ __VA_ARGS__ })

static void expect_tensors(const cn_dict *d)
{
    double base[24];
    for (int i = 0; i < 24; i++) base[i] = i;
    expect_values(d, "base", CN_F32, CN_SHAPE(24), base);
    EXPECT(d, "shared", CN_F32, CN_SHAPE(4), 4, 5, 6, 7);
    EXPECT(d, "transposed", CN_F32, CN_SHAPE(6, 4), 0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9,
           15, 21, 4, 10, 16, 22, 5, 11, 17, 23);
    EXPECT(d, "every_second", CN_F32, CN_SHAPE(12), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22);
    EXPECT(d, "expanded", CN_F32, CN_SHAPE(3), 0, 0, 0);
    EXPECT(d, "scalar", CN_F64, cn_scalar_shape(), 2.5);
    EXPECT(d, "empty", CN_F32, CN_SHAPE(0, 3), 0);
    EXPECT(d, "parameter", CN_F32, CN_SHAPE(2), 1, 1);
    EXPECT(d, "f16", CN_F16, CN_SHAPE(2), 1.5, -2);
    EXPECT(d, "bf16", CN_BF16, CN_SHAPE(2), 1.5, -2);
    EXPECT(d, "i64", CN_I64, CN_SHAPE(2), 0x1p40, -1);
    EXPECT(d, "i32", CN_I32, CN_SHAPE(2), 7, -7);
    EXPECT(d, "i16", CN_I16, CN_SHAPE(2), 7, -7);
    EXPECT(d, "i8", CN_I8, CN_SHAPE(2), 7, -7);
    EXPECT(d, "u8", CN_U8, CN_SHAPE(2), 7, 200);
    EXPECT(d, "bool", CN_BOOL, CN_SHAPE(3), 1, 0, 1);
    EXPECT(d, "raw", CN_U8, CN_SHAPE(2), 0, 255);
}

static void expect_plain(const cn_dict *d)
{
    assert_int_equal(cn_dict_find(d, "none")->kind, CN_KIND_NONE);
    assert_int_equal(cn_dict_find(d, "flag")->kind, CN_KIND_BOOL);
    assert_true(cn_dict_int(d, "count", 0) == (int64_t)1 << 40);
    assert_true(cn_dict_float(d, "rate", 0) == 0.1);
    assert_true(cn_dict_float(d, "best", 0) == 0.75);
    assert_string_equal(cn_dict_str(d, "name", ""), "Gr\xC3\xB6\xC3\x9F"
                                                    "e");
    assert_string_equal(cn_dict_str(d, "device", ""), "cpu");
    assert_int_equal(cn_dict_find(d, "dtype")->u.i, CN_F32);
    const cn_value *pair = cn_dict_find(d, "pair"), *nested = cn_dict_find(d, "nested");
    assert_int_equal(pair->n, 2);
    assert_string_equal(pair->u.list[1].u.s, "two");
    assert_int_equal(nested->u.list[0].n, 0);
    const cn_value *inner = cn_dict_find(nested->u.list[1].u.d, "a");
    assert_int_equal(inner->u.list[0].u.i, 3);
    assert_int_equal(cn_dict_find(d, "size")->u.list[1].u.i, 3);
}

static void expect_checkpoint(const cn_dict *d)
{
    const cn_dict *net = cn_dict_dict(d, "net"), *optim = cn_dict_dict(d, "optim");
    assert_int_equal(cn_dict_count(net), 7);
    assert_string_equal(cn_dict_key(net, 6), "1.num_batches_tracked");
    EXPECT(net, "1.running_mean", CN_F32, CN_SHAPE(4), 4, 5, 6, 7);
    const cn_dict *state = cn_dict_dict(optim, "state");
    assert_string_equal(cn_dict_key(state, 1), "1");
    EXPECT(cn_dict_dict(state, "1"), "momentum_buffer", CN_F32, CN_SHAPE(4), 1, 1, 1, 1);
    const cn_value *groups = cn_dict_find(optim, "param_groups");
    assert_int_equal(groups->n, 1);
    assert_true(cn_dict_float(groups->u.list[0].u.d, "lr", 0) == 0.5);
}

static void what_pytorch_wrote_is_read(void **state)
{
    (void)state;
    static const char *const whole[] = { "zip", "legacy" }, *const some[] = { "protocol4",
                                                                              "legacy4" };
    for (size_t i = 0; i < 2; i++) {
        cn_dict *d = load_golden(whole[i]);
        expect_tensors(d);
        expect_plain(d);
        expect_checkpoint(d);
        cn_dict_free(d);
        d = load_golden(some[i]);
        EXPECT(d, "shared", CN_F32, CN_SHAPE(4), 4, 5, 6, 7);
        EXPECT(d, "i64", CN_I64, CN_SHAPE(2), 0x1p40, -1);
        cn_dict_free(d);
    }
    cn_dict *d = load_golden("tensor");
    assert_int_equal(cn_dict_count(d), 1);
    assert_true(cn_at(cn_dict_tensor(d, ""), CN_SHAPE(3, 5)) == 23);
    cn_dict_free(d);
}

/* The tensors lie in the mapped file: what is written to one shows in the other, not in the file. */
static void shared_memory_stays_shared(void **state)
{
    (void)state;
    static const char *const names[] = { "zip", "legacy" };
    for (size_t i = 0; i < COUNT(names); i++) {
        cn_dict *d = load_golden(names[i]), *again;
        float *base = cn_data_mut(cn_dict_tensor(d, "base"));
        assert_non_null(base);
        base[5] = -1;
        EXPECT(d, "shared", CN_F32, CN_SHAPE(4), 4, -1, 6, 7);
        assert_true(cn_at(cn_dict_tensor(d, "transposed"), CN_SHAPE(5, 0)) == -1);
        again = load_golden(names[i]);
        EXPECT(again, "shared", CN_F32, CN_SHAPE(4), 4, 5, 6, 7);
        cn_tensor *t = cn_keep(cn_dict_tensor(d, "base"));
        cn_dict_free(d);
        assert_true(cn_at(t, CN_SHAPE(5)) == -1);
        cn_drop(t);
        cn_dict_free(again);
    }
}

/* ---- what we write -------------------------------------------------------------------------- */

static void everything_comes_back(void **state)
{
    (void)state;
    const char *path = cn_test_path("a.pt"), *other = cn_test_path("b.pth");
    cn_dict *d = load_golden("zip");
    assert_true(cn_save(path, d));
    cn_dict *back = cn_load(path);
    assert_non_null(back);
    expect_tensors(back);
    expect_plain(back);
    expect_checkpoint(back);
    ((float *)cn_data_mut(cn_dict_tensor(back, "base")))[5] = -1;
    EXPECT(back, "shared", CN_F32, CN_SHAPE(4), 4, -1, 6, 7);
    assert_true(cn_save(other, back));
    cn_dict_free(back);
    cn_test_bytes a = cn_test_slurp(path), b = cn_test_slurp(other);
    assert_int_equal(a.size, b.size);
    free(a.bytes), free(b.bytes);
    assert_int_equal(unlink(path) | unlink(other), 0);
    cn_dict_free(d);
}

static void gaps_and_steps_back_are_not_written(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    const char *path = cn_test_path("v.pt");
    cn_tensor *t = cn_test_tensor(CN_SHAPE(1000, 10), CN_F32);
    cn_view column = t->v, back = t->v;
    column.shape = CN_SHAPE(4), column.strides[0] = 10;
    back.shape = CN_SHAPE(3), back.strides[0] = -1, back.data += 2 * sizeof(float);
    cn_view_refresh(&column), cn_view_refresh(&back);
    cn_dict *d = cn_dict_new();
    assert_true(cn_dict_set_tensor(d, "column", cn_tensor_view(t, &column)));
    assert_true(cn_save(path, d));
    cn_test_bytes file = cn_test_slurp(path);
    assert_true(file.size < 1000);
    free(file.bytes);
    assert_true(cn_dict_set_tensor(d, "back", cn_tensor_view(t, &back)));
    assert_true(cn_save(path, d));
    cn_dict *read = cn_load(path);
    EXPECT(read, "column", CN_F32, CN_SHAPE(4), 1, 11, 21, 31);
    EXPECT(read, "back", CN_F32, CN_SHAPE(3), 3, 2, 1);
    assert_int_equal(unlink(path), 0);
    cn_dict_free(read);
    cn_dict_free(d);
    cn_release(mark);
}

static void metadata_are_not_parameters(void **state)
{
    (void)state;
    size_t mark = cn_mark();
    const char *path = cn_test_path("m.pt");
    cn_dict *d = cn_dict_new(), *metadata = cn_dict_new();
    assert_true(cn_dict_set_dict(d, "__metadata__", metadata));
    assert_true(cn_dict_set_tensor(d, "w", cn_test_tensor(CN_SHAPE(2), CN_F32)));
    assert_true(cn_save(path, d));
    cn_dict *back = cn_load(path);
    assert_int_equal(cn_dict_count(back), 1);
    assert_int_equal(unlink(path), 0);
    cn_dict_free(back);
    cn_dict_free(metadata);
    cn_dict_free(d);
    cn_release(mark);
}

/* ---- hostile files: the pieces ----------------------------------------------------------------- */

typedef struct buffer {
    uint8_t bytes[4096];
    size_t size;
} buffer;

static void put(buffer *b, const void *bytes, size_t size)
{
    assert_true(b->size + size <= sizeof b->bytes);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

/* The old form around a pickle, with one storage "0" of `numel` floats, or none. */
static cn_dict *read_stream(const char *pickle, size_t size, int64_t numel)
{
    static const float elements[16] = { 1, 2, 3, 4 };
    buffer b = { .size = 0 };
    put(&b, BYTES("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19."));
    put(&b, BYTES("\x80\x02M\xE9\x03.\x80\x02}."));
    put(&b, pickle, size);
    if (numel < 0) {
        put(&b, BYTES("\x80\x02]."));
    } else {
        put(&b, BYTES("\x80\x02]U\x01"
                      "0a."));
        put(&b, &numel, sizeof numel);
        put(&b, elements, (size_t)numel * 4);
    }
    return cn_load_bytes(b.bytes, b.size, "bad.pt");
}

typedef struct bad {
    const char *pickle;
    size_t size;
    cn_code code;
    const char *part;
} bad;

static void expect_refused(const bad *list, size_t n, int64_t numel)
{
    for (size_t i = 0; i < n; i++) {
        cn_dict *d = read_stream(list[i].pickle, list[i].size, numel);
        if (d || !strstr(cn_error(), list[i].part)) print_error("case %zu\n", i);
        assert_null(d);
        assert_non_null(strstr(cn_error(), "bad.pt: "));
        cn_test_expect_error(list[i].code, list[i].part);
    }
}

/* ---- code ---------------------------------------------------------------------------------------- */

static const bad hostile[] = {
    { BYTES("\x80\x02"
            "cos\nsystem\nU\x02id\x85R."),
      CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("\x80\x02"
            "cposix\nsystem\n."),
      CN_EUNSUPPORTED, "'posix.system'" },
    { BYTES("cos\nsystem\n(S'id'\ntR."), CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("\x80\x02"
            "c__builtin__\neval\nU\x01"
            "1\x85R."),
      CN_EUNSUPPORTED, "'__builtin__.eval'" },
    { BYTES("\x80\x02"
            "cbuiltins\ngetattr\n."),
      CN_EUNSUPPORTED, "'builtins.getattr'" },
    { BYTES("\x80\x02"
            "cbuiltins\nexec\n."),
      CN_EUNSUPPORTED, "'builtins.exec'" },
    { BYTES("\x80\x04\x8C\x02os\x8C\x06system\x93\x8C\x02id\x85R."), CN_EUNSUPPORTED,
      "'os.system'" },
    { BYTES("\x80\x04\x8C\x05torch\x8C\x13serialization\nload2\x93."), CN_EUNSUPPORTED,
      "'torch.serialization?load2'" },
    { BYTES("(S'id'\nios\nsystem\n."), CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("(cos\nsystem\nS'id'\no."), CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("\x80\x02"
            "csubprocess\nPopen\nU\x02id\x85\x81."),
      CN_EUNSUPPORTED, "'subprocess.Popen'" },
    { BYTES("\x80\x04"
            "csubprocess\nPopen\n)}\x92."),
      CN_EUNSUPPORTED, "'subprocess.Popen'" },
    { BYTES("\x80\x02\x82\x05."), CN_EUNSUPPORTED, "'extension.5'" },
    { BYTES("\x80\x02\x83\x05\x01."), CN_EUNSUPPORTED, "'extension.261'" },
    { BYTES("\x80\x02\x84\x05\x00\x00\x01."), CN_EUNSUPPORTED, "'extension.16777221'" },
    { BYTES("\x80\x05\x97."), CN_EUNSUPPORTED, "NEXT_BUFFER" },
    { BYTES("\x80\x02"
            "ctorch.storage\n_load_from_bytes\nU\x01x\x85R."),
      CN_EUNSUPPORTED, "'torch.storage._load_from_bytes'" },
    { BYTES("\x80\x02"
            "ctorch\nload\n."),
      CN_EUNSUPPORTED, "'torch.load'" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_sparse_tensor\n."),
      CN_EUNSUPPORTED, "_rebuild_sparse_tensor" },
    { BYTES("\x80\x02"
            "ctorch\nQInt8Storage\n."),
      CN_EUNSUPPORTED, "'torch.QInt8Storage'" },
    /* names that are known, used as what they are not */
    { BYTES("\x80\x02"
            "ctorch\nFloatStorage\n)R."),
      CN_EUNSUPPORTED, "call torch.FloatStorage" },
    { BYTES("\x80\x02"
            "ctorch\nfloat32\n)R."),
      CN_EUNSUPPORTED, "call a value of kind dtype" },
    { BYTES("\x80\x02U\x02id)R."), CN_EUNSUPPORTED, "call a value of kind str" },
    { BYTES("\x80\x02})R."), CN_EUNSUPPORTED, "call a value of kind dict" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n}R."),
      CN_EFORMAT, "dict for its arguments" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n."),
      CN_EUNSUPPORTED, "of kind name" },
    { BYTES("\x80\x02]}b."), CN_EUNSUPPORTED, "state of a value of kind list" },
    { BYTES("\x80\x02"
            "ctorch\nTensor\n}b."),
      CN_EUNSUPPORTED, "state of a value of kind name" },
    { BYTES("\x80\x02"
            "cnumpy\ndtype\nU\x02O8\x85R."),
      CN_EUNSUPPORTED, "NumPy's type 'O8'" },
    { BYTES("\x80\x02"
            "cnumpy\ndtype\nU\x02"
            "f8\x85R(K\x03U\x01>NtbU\x08"
            "abcdefgh\x86."),
      CN_EUNSUPPORTED, "state of a value of kind dtype" },
    { BYTES("\x80\x02"
            "c_codecs\nencode\nX\x01\x00\x00\x00xU\x05rot13\x86R."),
      CN_EFORMAT, "_codecs.encode" },
    { BYTES("Pid\n."), CN_EFORMAT, "described by str" },
    { BYTES("\x80\x02K\x05Q."), CN_EFORMAT, "described by int" },
    { BYTES("\x80\x02(U\x06moduleNNNNtQ."), CN_EFORMAT, "argument 2" },
};

static void no_pickle_calls_anything(void **state)
{
    (void)state;
    expect_refused(hostile, COUNT(hostile), -1);
}

static void a_machine_misused_says_so(void **state)
{
    (void)state;
    static const bad broken[] = {
        { BYTES("\x80\x02."), CN_EFORMAT, "a value is missing" },
        { BYTES("\x80\x02NN."), CN_EFORMAT, "more than one value" },
        { BYTES("\x80\x02N(."), CN_EFORMAT, "a value is missing" },
        { BYTES("\x80\x02N(N."), CN_EFORMAT, "more than one value" },
        { BYTES("\x80\x02t."), CN_EFORMAT, "a mark is missing" },
        { BYTES("\x80\x02N(\x85."), CN_EFORMAT, "a value is missing" },
        { BYTES("\x80\x02}N(Nu."), CN_EFORMAT, "key without a value" },
        { BYTES("\x80\x02]NNs."), CN_EFORMAT, "set an item of a value of kind list" },
        { BYTES("\x80\x02K\x01(NNu."), CN_EFORMAT, "set items of a value of kind int" },
        { BYTES("\x80\x02}Na."), CN_EFORMAT, "append to a value of kind dict" },
        { BYTES("\x80\x02)(Ne."), CN_EFORMAT, "append to a value of kind tuple" },
        { BYTES("\x80\x02h\x00."), CN_EFORMAT, "memo entry 0" },
        { BYTES("\x80\x02Nr\xFF\xFF\xFF\x7F."), CN_EFORMAT, "memo index" },
        { BYTES("\x80\x02X\xFF\xFF\xFF\xFFx."), CN_EFORMAT, "missing at offset" },
        { BYTES("\x80\x04\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx."), CN_EFORMAT, "missing" },
        { BYTES("\x80\x04\x95\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7FN."), CN_EFORMAT, "frame" },
        { BYTES("\x80\x06N."), CN_EUNSUPPORTED, "protocol 6" },
        { BYTES("\x80\x02\xFFN."), CN_EFORMAT, "opcode 0xFF" },
        { BYTES("\x80\x02\x93."), CN_EFORMAT, "a value is missing" },
        { BYTES("\x80\x02NN\x93."), CN_EFORMAT, "a name made of none and none" },
        { BYTES("(o."), CN_EFORMAT, "a call of nothing" },
        { BYTES("I12x\n."), CN_EFORMAT, "no integer" },
        { BYTES("F1,5\n."), CN_EFORMAT, "no number" },
        { BYTES("Sid\n."), CN_EFORMAT, "without quotes" },
        { BYTES("\x80\x02}]Ns."), CN_EUNSUPPORTED, "key of kind list" },
        { BYTES("\x80\x02}(U\x01"
                "1NK\x01Nu."),
          CN_EFORMAT, "two entries '1'" },
        { BYTES("\x80\x02U\x01\xFF."), CN_EUNSUPPORTED, "not UTF-8" },
        { BYTES("\x80\x02U\x01\x00."), CN_EUNSUPPORTED, "zero byte" },
        { BYTES("\x80\x02\x8A\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01."), CN_EUNSUPPORTED,
          "of kind long" },
        { BYTES("\x80\x02]q\x00h\x00"
                "a."),
          CN_EUNSUPPORTED, "nest too deep" },
    };
    expect_refused(broken, COUNT(broken), -1);
}

/* ---- tensors -------------------------------------------------------------------------------------- */

#define STORAGE(type, key_size, key, numel)                                                        \
    "(U\x07storagectorch\n" type "Storage\nU" key_size key "U\x03"                                 \
    "cpu" numel "tQ"
#define FLOATS STORAGE("Float", "\x01", "0", "K\x04")
#define TENSOR(storage, offset, sizes, strides)                                                    \
    "\x80\x02"                                                                                     \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset sizes strides "\x89"                     \
    "ccollections\nOrderedDict\n)RtR."
/* 2^62 */
#define HUGE_INT "\x8A\x08\x00\x00\x00\x00\x00\x00\x00\x40"

static void no_tensor_leaves_its_storage(void **state)
{
    (void)state;
    static const bad outside[] = {
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x05\x85", "K\x01\x85")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x01", "K\x04\x85", "K\x01\x85")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x05", "K\x00\x85", "K\x01\x85")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x04", ")", ")")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x02\x85", "K\x04\x85")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "J\xFF\xFF\xFF\xFF", "K\x02\x85", "K\x01\x85")), CN_EFORMAT,
          "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", "J\xFF\xFF\xFF\xFF\x85", "K\x01\x85")), CN_EFORMAT,
          "negative" },
        { BYTES(TENSOR(FLOATS, "K\x03", "K\x02\x85", "J\xFF\xFF\xFF\xFF\x85")), CN_EFORMAT,
          "negative" },
        { BYTES(TENSOR(FLOATS, "K\x00", HUGE_INT HUGE_INT "\x86", "K\x00K\x00\x86")), CN_EFORMAT,
          "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x05" HUGE_INT "\x86", "K\x00K\x01\x86")), CN_EFORMAT,
          "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x03\x85", HUGE_INT "\x85")), CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, HUGE_INT, "K\x03\x85", HUGE_INT "\x85")), CN_EFORMAT,
          "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", HUGE_INT "K\x00" HUGE_INT "\x87", "K\x00K\x00K\x00\x87")),
          CN_EFORMAT, "reaches out" },
        { BYTES(TENSOR(FLOATS, "K\x00", "J\xFF\xFF\xFF\x7F\x85", "K\x00\x85")), CN_EFORMAT,
          "on a storage of 4" },
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x02K\x02\x86", "K\x01\x85")), CN_EFORMAT,
          "2 sizes and 1 strides" },
        { BYTES(TENSOR(FLOATS, "K\x00", "K\x02", "K\x01\x85")), CN_EFORMAT, "not tuple" },
        { BYTES(TENSOR(FLOATS, "K\x00", "N\x85", "K\x01\x85")), CN_EFORMAT, "no integer" },
        { BYTES(TENSOR(FLOATS, "N", "K\x02\x85", "K\x01\x85")), CN_EFORMAT, "not int" },
        { BYTES(TENSOR("N", "K\x00", "K\x02\x85", "K\x01\x85")), CN_EFORMAT, "not storage" },
        { BYTES(TENSOR(FLOATS, "K\x00", "(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t",
                       "(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t")),
          CN_EUNSUPPORTED, "9 dimensions" },
        { BYTES(TENSOR(STORAGE("Float", "\x01", "0", "J\xFF\xFF\xFF\xFF"), "K\x00", ")", ")")),
          CN_EFORMAT, "no storage" },
        { BYTES(TENSOR(STORAGE("Float", "\x01", "1", "K\x04"), "K\x00", ")", ")")), CN_EFORMAT,
          "'0' is not used" },
        { BYTES(TENSOR(STORAGE("Float", "\x03", "../", "K\x04"), "K\x00", ")", ")")), CN_EFORMAT,
          "impossible key" },
        { BYTES(TENSOR(STORAGE("Double", "\x01", "0", "K\x04"), "K\x00", ")", ")")), CN_EFORMAT,
          "cut short" },
        { BYTES(TENSOR(STORAGE("Float", "\x01", "0", "K\x03"), "K\x00", ")", ")")), CN_EFORMAT,
          "should hold 3" },
        { BYTES(TENSOR(STORAGE("Float", "\x01", "0", "J\xFF\xFF\xFF\x7F"), "K\x00", ")", ")")),
          CN_EFORMAT, "should hold 2147483647" },
        { BYTES("\x80\x02" FLOATS STORAGE("Float", "\x01", "0", "K\x05") "\x86."), CN_EFORMAT,
          "in two ways" },
    };
    size_t peak = cn_memory().peak_bytes;
    expect_refused(outside, COUNT(outside), 4);
    assert_true(cn_memory().peak_bytes < peak + (1 << 20));
    size_t mark = cn_mark();
    cn_dict *d = read_stream(BYTES(TENSOR(FLOATS, "K\x01", "K\x02K\x02\x86", "K\x00K\x02\x86")), 4);
    EXPECT(d, "", CN_F32, CN_SHAPE(2, 2), 2, 4, 2, 4);
    cn_dict_free(d);
    cn_release(mark);
}

/* Items, states and arguments where other readers once wrote through what a file had made up. */
static const bad mistaken[] = {
    /* SETITEM, SETITEMS, APPEND and BUILD on storages, tensors and names */
    { BYTES("\x80\x02" FLOATS "K\x00K\x01s."), CN_EFORMAT, "item of a value of kind storage" },
    { BYTES("\x80\x02" FLOATS "(K\x00K\x01u."), CN_EFORMAT, "items of a value of kind storage" },
    { BYTES("\x80\x02" FLOATS "Na."), CN_EFORMAT, "append to a value of kind storage" },
    { BYTES("\x80\x02" FLOATS "}b."), CN_EUNSUPPORTED, "state of a value of kind storage" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_tensor\n(" FLOATS "K\x00K\x02\x85K\x01\x85tRK\x00K\x01s."),
      CN_EFORMAT, "item of a value of kind tensor" },
    { BYTES("\x80\x02"
            "ctorch\nFloatStorage\nK\x00K\x01s."),
      CN_EFORMAT, "item of a value of kind name" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n)RNb]b."),
      CN_EUNSUPPORTED, "state of a value of kind dict" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n)RK\x07"
            "b."),
      CN_EUNSUPPORTED, "state of a value of kind dict" },
    { BYTES("\x80\x02X\x01\x00\x00\x00xK\x00K\x01s."), CN_EFORMAT, "item of a value of kind str" },
    { BYTES("\x80\x02NK\x00K\x01s."), CN_EFORMAT, "item of a value of kind none" },
    { BYTES("\x80\x02)K\x00K\x01s."), CN_EFORMAT, "item of a value of kind tuple" },
    /* functions that are known, called with what they do not take */
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_tensor_v2\n)R."),
      CN_EFORMAT, "is missing, not storage" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_tensor\n(U\x02idK\x00))tR."),
      CN_EFORMAT, "is str, not storage" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_tensor\n(" FLOATS "K\x03K\x02\x85K\x01\x85tR."),
      CN_EFORMAT, "reaches out" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_parameter\n(N\x88}tR."),
      CN_EFORMAT, "is none, not tensor" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_parameter_with_state\n(U\x02id\x88}}tR."),
      CN_EFORMAT, "is str, not tensor" },
    { BYTES("\x80\x02"
            "ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\nU\x02id\x85}tR."),
      CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("\x80\x02"
            "ctorch._tensor\n_rebuild_from_type_v2\n(U\x02idctorch\nTensor\n)}tR."),
      CN_EFORMAT, "is str, not name" },
    { BYTES("\x80\x02"
            "ctorch\nSize\nU\x02id\x85R."),
      CN_EFORMAT, "is str, not tuple" },
    { BYTES("\x80\x02"
            "ctorch\ndevice\n}\x85R."),
      CN_EFORMAT, "is dict, not str" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\nU\x02id\x85R."),
      CN_EFORMAT, "arguments that it does not take" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n]K\x01"
            "a\x85R."),
      CN_EFORMAT, "arguments that it does not take" },
    { BYTES("\x80\x02"
            "ccollections\ndefaultdict\ncos\nsystem\n\x85R."),
      CN_EUNSUPPORTED, "'os.system'" },
    { BYTES("\x80\x02"
            "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02"
            "f8\x85RU\x03"
            "abc\x86R."),
      CN_EFORMAT, "arguments that it does not take" },
    { BYTES("\x80\x02"
            "cnumpy.core.multiarray\nscalar\nNU\x08"
            "abcdefgh\x86R."),
      CN_EFORMAT, "is none, not dtype" },
    { BYTES("\x80\x02"
            "cbuiltins\nset\nK\x05\x85R."),
      CN_EFORMAT, "is int, not list" },
};

/* Values that hold themselves, by way of the memo. */
static const bad endless[] = {
    { BYTES("\x80\x02}q\x00U\x01"
            "xh\x00s."),
      CN_EUNSUPPORTED, "nest too deep" },
    { BYTES("\x80\x02]q\x00h\x00\x85"
            "a."),
      CN_EUNSUPPORTED, "nest too deep" },
    { BYTES("\x80\x02"
            "ccollections\nOrderedDict\n)Rq\x00U\x01xh\x00sh\x00"
            "b."),
      CN_EUNSUPPORTED, "nest too deep" },
    { BYTES("\x80\x02"
            "ctorch._utils\n_rebuild_tensor_v2\nq\x00h\x00\x85R."),
      CN_EFORMAT, "is name, not storage" },
};

static void no_value_is_taken_for_another(void **state)
{
    (void)state;
    expect_refused(endless, COUNT(endless), -1);
    expect_refused(mistaken, COUNT(mistaken), 4);
}

/* ---- sizes without end ------------------------------------------------------------------------------ */

static void small_files_do_not_grow(void **state)
{
    (void)state;
    buffer deep = { .size = 0 }, laughs = { .size = 0 };
    put(&deep, BYTES("\x80\x02"));
    for (int i = 0; i < 900; i++) put(&deep, "]", 1);
    for (int i = 1; i < 900; i++) put(&deep, "a", 1);
    put(&deep, ".", 1);
    assert_null(read_stream((char *)deep.bytes, deep.size, -1));
    cn_test_expect_error(CN_EUNSUPPORTED, "nest too deep");
    /* (x, x), (that, that), ...: 2^60 values in 120 bytes */
    put(&laughs, BYTES("\x80\x02N"));
    for (int i = 0; i < 60; i++) put(&laughs, BYTES("2\x86"));
    put(&laughs, ".", 1);
    size_t peak = cn_memory().peak_bytes;
    assert_null(read_stream((char *)laughs.bytes, laughs.size, -1));
    cn_test_expect_error(CN_EFORMAT, "far more than the file holds");
    assert_true(cn_memory().peak_bytes < peak + ((size_t)64 << 20));
}

/* ---- archives --------------------------------------------------------------------------------------- */

typedef struct member {
    const char *name, *bytes;
    size_t size;
} member;

static cn_dict *read_archive(const member *members, size_t n)
{
    const char *path = cn_test_path("made.pt");
    cn_file *f = cn_file_create(path);
    cn_zip_writer *w = cn_zip_create(f);
    for (size_t i = 0; i < n; i++) {
        const cn_span span = { members[i].bytes, members[i].size };
        assert_true(cn_zip_add(w, members[i].name, &span, 1, 64));
    }
    assert_true(cn_file_finish(f, cn_zip_finish(w, true)));
    cn_dict *d = cn_load(path);
    assert_int_equal(unlink(path), 0);
    return d;
}

#define PICKLE                                                                                     \
    {                                                                                              \
        "x/data.pkl", BYTES(TENSOR(FLOATS, "K\x01", "K\x02\x85", "K\x01\x85"))                     \
    }

static void archives_are_checked(void **state)
{
    (void)state;
    static const struct {
        member members[3];
        size_t n;
        const char *part; /* NULL: it is good */
    } cases[] = {
        { { PICKLE, { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0") } }, 2, NULL },
        { { PICKLE,
            { "x/data/0", BYTES("\0\0\0\0?\x80\0\0@\0\0\0\0\0\0\0") },
            { "x/byteorder", BYTES("big") } },
          3,
          NULL },
        { { PICKLE,
            { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0") },
            { "x/byteorder", BYTES("middle") } },
          3,
          "byte order" },
        { { PICKLE, { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0") } }, 2, "has 15 bytes" },
        { { PICKLE, { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0\0\0\0\0") } },
          2,
          "has 20 bytes" },
        { { PICKLE, { "y/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0") } }, 2, "is missing" },
        { { PICKLE }, 1, "is missing" },
        { { PICKLE,
            { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0") },
            { "x/data/0", BYTES("\0\0\0\0\0\0\x80?\0\0\0@\0\0\0\0") } },
          3,
          "two members" },
        { { PICKLE, PICKLE }, 2, "two members" },
        { { { "x/data.pkl", BYTES("\x80\x02N..") } }, 1, "follows the pickle" },
        { { { "x/data.pkl", BYTES("\x80\x02N") } }, 1, "missing" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cn_dict *d = read_archive(cases[i].members, cases[i].n);
        if (cases[i].part) {
            assert_null(d);
            cn_test_expect_error(CN_EFORMAT, cases[i].part);
        } else {
            if (!d) print_error("%s\n", cn_error());
            EXPECT(d, "", CN_F32, CN_SHAPE(2), 1, 2);
            cn_dict_free(d);
        }
    }
}

/* No bit of an archive can change a number unnoticed. */
static void flipped_bits_change_no_number(void **state)
{
    (void)state;
    cn_test_bytes file = cn_test_slurp("tests/golden/tensor.pt");
    cn_dict *whole = load_golden("tensor");
    int refused = 0;
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cn_dict *d = cn_load_bytes(file.bytes, file.size, "flipped");
        file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (d) cn_test_same_tensor(cn_dict_tensor(d, ""), cn_dict_tensor(whole, ""));
        refused += !d;
        cn_dict_free(d);
        cn_error_clear();
    }
    assert_true(refused > 24 * 4 * 8);
    cn_dict_free(whole);
    free(file.bytes);
}

static void the_tar_form_is_refused(void **state)
{
    (void)state;
    static uint8_t tar[1024] = "storages";
    memcpy(tar + 257, "ustar", 5);
    assert_null(cn_load_bytes(tar, sizeof tar, "old.pt"));
    cn_test_expect_error(CN_EUNSUPPORTED, "old.pt: a tar archive");
}

/* ---- audits ------------------------------------------------------------------------------------------- */

static void an_audit_lists_names_and_calls(void **state)
{
    (void)state;
    static const char evil[] =
        "\x80\x02}(U\x01wctorch._utils\n_rebuild_tensor_v2\n)RU\x01x"
        "cbuiltins\ngetattr\ncos\nenviron\nU\x03get\x86RU\x02id\x85RNbu. and more";
    const char *path = cn_test_path("evil.pt");
    assert_true(cn_write_file_atomic(path, evil, sizeof evil - 1));
    cn_dict *names = cn_pickle_names(path);
    assert_true(cn_ok());
    assert_int_equal(cn_dict_count(names), 4);
    const cn_dict *known = cn_dict_dict(names, "torch._utils._rebuild_tensor_v2");
    assert_int_equal(cn_dict_int(known, "known", 0), 1);
    assert_int_equal(cn_dict_int(known, "calls", 0), 1);
    const cn_dict *unknown = cn_dict_dict(names, "builtins.getattr(...)");
    assert_int_equal(cn_dict_int(unknown, "known", 1), 0);
    assert_int_equal(cn_dict_int(unknown, "calls", 0), 1);
    assert_non_null(cn_dict_find(names, "os.environ"));
    cn_dict_free(names);
    assert_int_equal(unlink(path), 0);
    names = cn_pickle_names("tests/golden/core.safetensors");
    assert_int_equal(cn_dict_count(names), 0);
    cn_dict_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_pytorch_wrote_is_read),
        cmocka_unit_test(shared_memory_stays_shared),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(gaps_and_steps_back_are_not_written),
        cmocka_unit_test(metadata_are_not_parameters),
        cmocka_unit_test(no_pickle_calls_anything),
        cmocka_unit_test(a_machine_misused_says_so),
        cmocka_unit_test(no_tensor_leaves_its_storage),
        cmocka_unit_test(no_value_is_taken_for_another),
        cmocka_unit_test(small_files_do_not_grow),
        cmocka_unit_test(archives_are_checked),
        cmocka_unit_test(flipped_bits_change_no_number),
        cmocka_unit_test(the_tar_form_is_refused),
        cmocka_unit_test(an_audit_lists_names_and_calls),
    };
    return cmocka_run_group_tests_name("torch", tests, cn_test_folder_make, cn_test_folder_remove);
}
