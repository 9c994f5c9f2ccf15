/* make_seeds.c - writes fuzz/corpus/fuzz_FORMAT/: one small file of every kind for the fuzzers to
   start from. What is there besides was written by NumPy or PyTorch, or found by a fuzzer and mended.

       cc fuzz/make_seeds.c $(pkg-config --cflags --libs cenote) && ./a.out fuzz/corpus */
#include <cenote/io.h>

#include <stdio.h>
#include <sys/stat.h>

static void in_folder(char path[256], const char *root, const char *format, const char *name)
{
    snprintf(path, 256, "%s/fuzz_%s", root, format);
    mkdir(path, 0777);
    snprintf(path, 256, "%s/fuzz_%s/%s", root, format, name);
}

static void save(const char *root, const char *format, const char *name, const cn_dict *d)
{
    char path[256];
    in_folder(path, root, format, name);
    if (!cn_save(path, d)) fprintf(stderr, "%s\n", cn_error());
}

static void write_bytes(const char *root, const char *format, const char *name, const void *bytes,
                        size_t size)
{
    char path[256];
    in_folder(path, root, format, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) perror(path);
}

static cn_dict *tensors(int n, const cn_dtype *dtypes)
{
    cn_dict *d = cn_dict_new();
    for (int i = 0; i < n; i++)
        cn_dict_set_tensor(d, (char[]){ (char)('a' + i), 0 }, cn_ones(CN_SHAPE(2, i), dtypes[i]));
    return d;
}

static void write_literals(const char *root)
{
    static const char fortran[] =
        "\x93NUMPY\x02\0\x39\0\0\0"
        "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1)}\n\0\1\0\2";
    static const uint8_t idx[] = { 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6 };
    static const uint8_t idx_gz[] = { 0x1F, 0x8B, 8,    0,    0,    0,    0,    0,    2,
                                      3,    0x63, 0x60, 0xE0, 0x60, 0x62, 0x60, 0x60, 0,
                                      0x61, 0x66, 0x46, 0x26, 0x66, 0x16, 0x56, 0x36, 0,
                                      0x48, 0x94, 0x3E, 0xE5, 0x12, 0,    0,    0 };
    write_bytes(root, "npy", "fortran.npy", fortran, sizeof fortran - 1);
    write_bytes(root, "idx", "small.idx", idx, sizeof idx);
    write_bytes(root, "load", "small.idx.gz", idx_gz, sizeof idx_gz);
}

int main(int argc, char **argv)
{
    static const cn_dtype dtypes[] = { CN_F32, CN_BOOL, CN_I64, CN_F16, CN_BF16 };
    const char *root = argc > 1 ? argv[1] : "fuzz/corpus";
    cn_dict *all = tensors(5, dtypes), *numpy = tensors(4, dtypes), *one = tensors(1, dtypes);
    cn_dict *metadata = cn_dict_new();
    cn_dict_set_str(metadata, "format", "pt");
    cn_dict_set_dict(all, "__metadata__", metadata);
    save(root, "npy", "small.npy", one);
    save(root, "npz", "small.npz", numpy);
    save(root, "safetensors", "small.safetensors", all);
    save(root, "pt", "small.pt", all);
    write_literals(root);
    cn_dict_free(metadata);
    cn_dict_free(all);
    cn_dict_free(numpy);
    cn_dict_free(one);
    return cn_ok() ? 0 : 1;
}
