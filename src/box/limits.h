/* box/limits.h: the numbers that end a call, by name.
 *
 * Any thread, pure. One table (bx_limit_specs) gives each limit's name, its setting, default, range and unit; parsing,
 * validation, printing, the page and the docs all read it. Names are what results carry ("time", "memory" …). */
#ifndef BX_BOX_LIMITS_H
#define BX_BOX_LIMITS_H

#include "json/json.h"

enum bx_limit {
    BX_LIMIT_NONE,
    BX_LIMIT_TIME,    /* wall clock, ms */
    BX_LIMIT_MEMORY,  /* linear memory, bytes */
    BX_LIMIT_STACK,   /* wasm stack, bytes */
    BX_LIMIT_FUEL,    /* instructions; 0 = not counted, CPU time bounds the call */
    BX_LIMIT_CPU,     /* thread CPU time, ms */
    BX_LIMIT_TABLE,   /* table elements */
    BX_LIMIT_OUTPUT,  /* stdout bytes */
    BX_LIMIT_REQUEST, /* outbound bytes sent; named "network" when it fires, as the next two */
    BX_LIMIT_RESPONSE,/* outbound bytes received */
    BX_LIMIT_WRITTEN, /* bytes of one written file */
    BX_LIMIT_COUNT,
    /* named in results, without a number */
    BX_LIMIT_NETWORK = 64,
    BX_LIMIT_PATH,
    BX_LIMIT_GUARDED,
    BX_LIMIT_WORKER,  /* the worker process died */
    BX_LIMIT_CANCELLED
};

enum bx_limit_origin { BX_FROM_DEFAULT, BX_FROM_DESCRIPTOR, BX_FROM_SETTINGS, BX_FROM_GRANT, BX_FROM_CALL };

struct bx_limit_spec {
    const char *name;    /* "time" */
    const char *setting; /* "wasm_timeout" */
    const char *unit;    /* "ms" "bytes" "instructions" "elements" */
    uint64_t fallback, min, max;
};
extern const struct bx_limit_spec bx_limit_specs[BX_LIMIT_COUNT];

struct bx_limits {
    uint64_t value[BX_LIMIT_COUNT];
    unsigned char origin[BX_LIMIT_COUNT]; /* enum bx_limit_origin */
    uint32_t set;                         /* bit per limit that this list carries (a partial list: settings, --limit) */
};

void bx_limits_default(struct bx_limits *ret);                        /* all of them */
const char *bx_limit_name(enum bx_limit limit);                       /* NULL for NONE */
/* "time=60s", "memory=64MiB", "wasm_fuel=1000000": by name or setting, with units (ms s m, KiB MiB GiB KB MB GB, k M G).
 * Errors name the limit and its range, or the names there are. */
int bx_limits_parse(struct bx_limits *l, struct bx_str assignment, enum bx_limit_origin origin, struct bx_err *err);
/* An object {"time":"60s","wasm_max_memory_size":67108864}. */
int bx_limits_parse_json(struct bx_limits *l, const struct bx_val *obj, enum bx_limit_origin origin, struct bx_err *err);
void bx_limits_merge(struct bx_limits *l, const struct bx_limits *over); /* the ones set in `over` win */
void bx_limit_format(enum bx_limit limit, uint64_t value, struct bx_buf *out); /* "30 s", "256 MiB" */
/* "stopped after 30 s (time limit); raise it with …": for the model and the person. */
void bx_limit_explain(enum bx_limit limit, const struct bx_limits *l, const char *tool, struct bx_buf *out);

#endif
