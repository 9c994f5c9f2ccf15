/* predict.c - cenote predict: what a trained network makes of test images. */
#include "app/classify.h"
#include "app/run.h"

#include <cenote/autograd.h>

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256, CAPTION = 96 };

static const Option options[] = {
    { "index", "LIST", OPT_TEXT, NULL, 0, 0,
      "which test examples, as in 0,5,17 or 0-17 (default: 0-17)" },
    { "out", "FILE", OPT_TEXT, NULL, 0, 0, "the picture (default: DIR/predictions.png)" },
    { "model", "NAME", OPT_TEXT, NULL, 0, 0,
      "classify pictures with this network, instead of test examples" },
    { "weights", "FILE", OPT_TEXT, NULL, 0, 0, "its weights: .pt, .pth, .safetensors and so on" },
    { "classes", "FILE", OPT_TEXT, NULL, 0, 0, "names of its classes, one a line" },
    { "scaling", "NAME", OPT_TEXT, "model", 0, 0,
      "of the pictures: model, none (0 to 1), caffe (blue, green, red, 0 to 255, minus means)" },
    { "side", "N", OPT_INT, "0", 0, 4096, "of the pictures (default: the model's)" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* "0,5,17" or "0-17" into indices; how many, or -1. */
static int read_indices(const char *text, int64_t count, int64_t out[MOST])
{
    int n = 0;
    for (const char *p = text; *p;) {
        char *end;
        long long first = strtoll(p, &end, 10), last = first;
        if (end == p) break;
        if (*end == '-') p = end + 1, last = strtoll(p, &end, 10);
        if (first < 0 || last < first || last >= count || last - first >= MOST - n) break;
        for (long long i = first; i <= last; i++) out[n++] = i;
        if (*end == 0) return n;
        if (*end != ',') break;
        p = end + 1;
    }
    cn_fail(CN_EINVALID,
            "--index %s: indices below %lld are wanted, at most %d, as in 0,5,17 or 0-17", text,
            (long long)count, MOST);
    return -1;
}

typedef struct {
    int64_t index[MOST], truth[MOST], guess[MOST];
    double confidence[MOST];
    int n;
    cn_batch batch;
} Predictions;

static bool predict(cn_module *net, const cn_dataset *data, Predictions *p)
{
    if (!cn_dataset_get(data, p->index, p->n, &p->batch)) return false;
    cn_train_mode(net, false);
    cn_tensor *scores = NULL;
    CN_NO_GRAD scores = cn_softmax(cn_forward(net, p->batch.x), 1);
    const float *s = cn_data(scores);
    const int64_t *truth = cn_data(p->batch.y);
    int64_t classes = scores ? cn_size(scores, 1) : 0;
    for (int i = 0; s && truth && i < p->n; i++) {
        p->truth[i] = truth[i];
        for (int64_t k = 0; k < classes; k++)
            if (s[i * classes + k] > s[i * classes + p->guess[i]]) p->guess[i] = k;
        p->confidence[i] = (double)s[i * classes + p->guess[i]];
    }
    return cn_ok();
}

static bool draw(const Predictions *p, const cn_dataset *data, const char *title, const char *path)
{
    static char text[MOST][CAPTION];
    const char *captions[MOST];
    cn_image_mark marks[MOST];
    for (int i = 0; i < p->n; i++) {
        const char *guess = cn_dataset_class_name(data, (int)p->guess[i]);
        const char *truth = cn_dataset_class_name(data, (int)p->truth[i]);
        bool right = p->guess[i] == p->truth[i];
        if (right) snprintf(text[i], CAPTION, "%s", guess);
        else snprintf(text[i], CAPTION, "%s\n(%s)", guess, truth);
        captions[i] = text[i];
        marks[i] = right ? CN_IMAGE_GOOD : CN_IMAGE_BAD;
    }
    const cn_shape *s = cn_shape_of(p->batch.x);
    cn_figure *f = cn_figure_new(title);
    bool ok = f &&
              cn_figure_images(f, (size_t)p->n, (size_t)s->dim[2], (size_t)s->dim[3],
                               .f32 = cn_data(p->batch.x), .channels = (int)s->dim[1],
                               .captions = captions, .marks = marks) &&
              cn_figure_save(f, path);
    cn_figure_free(f);
    return ok;
}

static void report(const Args *args, const Predictions *p, const cn_dataset *data, const char *path)
{
    int right = 0;
    json_t *rows = json_array();
    for (int i = 0; i < p->n; i++) {
        right += p->guess[i] == p->truth[i];
        json_array_append_new(rows,
                              json_pack("{s:I, s:s, s:s, s:f}", "index", (json_int_t)p->index[i],
                                        "guess", cn_dataset_class_name(data, (int)p->guess[i]),
                                        "truth", cn_dataset_class_name(data, (int)p->truth[i]),
                                        "confidence", p->confidence[i]));
    }
    if (json_wanted(args)) {
        json_t *j =
            json_pack("{s:s, s:i, s:i, s:i, s:s, s:O}", "schema", "cenote-predict", "v", 1,
                      "examples", p->n, "right", right, "picture", path, "predictions", rows);
        json_dumpf(j, stdout, JSON_COMPACT);
        printf("\n");
        json_decref(j);
    } else {
        printf("%d of %d right; picture: %s\n", right, p->n, path);
    }
    json_decref(rows);
}

static int run(const Args *args)
{
    if (given(args, "model")) return classify(args);
    Config c;
    Predictions p = { 0 };
    char path[1040], title[384];
    const char *folder = operand(args, 0);
    bool ok = config_load(&c, folder);
    ok = ok && takes_pictures(&c, "predict");
    cn_module *net = ok ? run_network(&c, folder) : NULL;
    cn_dataset *test = net ? config_data(&c, CN_TEST) : NULL;
    if (test)
        p.n = read_indices(given(args, "index") ? text_of(args, "index") : "0-17",
                           cn_dataset_samples(test), p.index);
    snprintf(path, sizeof path, "%s/predictions.png", folder);
    if (given(args, "out")) snprintf(path, sizeof path, "%s", text_of(args, "out"));
    if (ok) snprintf(title, sizeof title, "%s on %s", c.model->title, c.data);
    ok = test && p.n > 0 && predict(net, test, &p) && draw(&p, test, title, path);
    if (ok) report(args, &p, test, path);
    cn_dataset_free(test);
    cn_module_free(net);
    return ok ? EXIT_OK : failed(args);
}

const Command command_predict = {
    .name = "predict",
    .operands = "DIR|IMAGE...",
    .least = 1,
    .most = -1,
    .about = "classify test images and draw them with their labels, or any pictures",
    .details =
        "Draws examples of the test data with what the network in run folder DIR takes them for: green when it is "
        "right, red with the truth below when it is not. With --model and --weights: the five likeliest classes of "
        "each IMAGE, of which the middle square is taken.",
    .examples =
        "cenote predict runs/lenet\ncenote predict runs/lenet --index 0-35 --out grid.svg\n"
        "cenote predict --model torchvision/squeezenet1_1 --weights squeezenet1_1.pth dog.jpg",
    .options = options,
    .run = run,
};
