/* model/providers.h: who serves models, as rows of data. Immutable, any thread. */
#ifndef BX_MODEL_PROVIDERS_H
#define BX_MODEL_PROVIDERS_H

#include "base/base.h"

struct bx_provider {
    const char *id, *name, *base_url; /* base_url without a slash at the end */
    const char *key_env;              /* NULL: no key is needed */
    const char *max_tokens_key;       /* NULL = "max_tokens" */
    const char *absent_hint;          /* for servers of this machine: how to start them */
    bool no_stream_usage;             /* refuses stream_options */
    bool short_ids;                   /* call ids of nine letters or digits */
    bool images;
};

extern const struct bx_provider bx_providers[];
extern const size_t bx_provider_count;

#endif
