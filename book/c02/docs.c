/* docs.c - signatures and meanings, asked of the library (D2L 2.7). */
#include "book/book.h"

#include <string.h>

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

static void run(Lab *lab)
{
    /* help(torch.ones): 'cenote ops ones' prints these. */
    lab_text(lab, "the signature of ones", or_nothing(cn_ffi_op_schema("ones")),
             "ones(int[] size, *, dtype? dtype=None) -> Tensor");
    lab_true(lab, "and what it does", strstr(or_nothing(cn_ffi_op_doc("ones")), "1") != NULL);
    lab_say(lab, "%s: %s", cn_ffi_op_schema("ones"), cn_ffi_op_doc("ones"));

    /* dir(torch): of all there are, each has a signature, a meaning, examples, and a word about its gradient. */
    int ops = cn_ffi_op_count(), complete = 0;
    for (int i = 0; i < ops; i++) {
        const char *name = cn_ffi_op_name(i);
        bool known = *or_nothing(cn_ffi_op_schema(name)) && *or_nothing(cn_ffi_op_doc(name));
        bool shown = *or_nothing(cn_ffi_op_samples(name)) && *or_nothing(cn_ffi_op_gradient(name));
        if (known && shown) complete++;
        else lab_say(lab, "%s is not documented", name);
    }
    lab_at_least(lab, "ops", ops, 400);
    lab_number(lab, "of them documented", complete, ops, 0);
    lab_true(lab, "a name that does not exist has no documentation", !cn_ffi_op_schema("onez"));
    cn_error_clear();
}

const Experiment experiment_c02_docs = {
    .id = "C02-DOCS",
    .title = "Looking up the interface",
    .title_zh = "查阅文档",
    .section = "2.7",
    .run = run,
};
