/* provider.h - who offers kernels. Providers are asked in order; the reference kernel is last. */
#ifndef CN_CORE_PROVIDER_H
#define CN_CORE_PROVIDER_H

#include "core/op.h"

typedef struct cn_provider {
    size_t size; /* sizeof(cn_provider) it was compiled with */
    const char *name;
    bool (*probe)(void);   /* is the library, the instruction set or the device here? asked once */
    bool (*knows)(int op); /* has it a kernel for some calls of that op? asked once per op */
    /* The kernel for a call of an op it knows, with these inputs and parameters, or NULL and the
       reason in *why. */
    cn_kernel *(*find)(const cn_call *call, const char **why);
    /* The same for calls with a blocked input, which find never sees. NULL: it has no such
       kernels. */
    cn_kernel *(*find_blocked)(const cn_call *call, const char **why);
} cn_provider;

/* The providers compiled in, best first, ended by NULL: src/backends/providers.c. */
extern const cn_provider *const cn_providers[];

/* The kernel that runs this call. CENOTE_VERBOSE=1 prints each decision and its reason once per
   combination of op and reason; CENOTE_PROVIDERS=reference,simd restricts the choice. */
cn_kernel *cn_find_kernel(const cn_call *call);
/* The kernel for a call with blocked inputs, or NULL: they must be made plain. */
cn_kernel *cn_find_blocked_kernel(const cn_call *call);
/* Would a provider take this call? Its outputs need not exist yet. */
bool cn_provider_takes(const cn_call *call);

/* For tests: only providers whose bit (their place in the list) is set are asked. */
void cn_restrict_providers(unsigned mask);
/* How often the provider at that place has been chosen in this process; the reference is after
   the last. */
int64_t cn_provider_uses(int place);

/* Where talk goes: stderr unless the program sets something else. */
CN_API void cn_set_log(void (*log)(const char *line, void *context), void *context);
void cn_say(const char *fmt, ...) CN_PRINTF(1, 2);

#endif
