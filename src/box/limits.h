/* box/limits.h: the numbers that bound one call, by name.
 *
 * Any thread, pure. Every call has all of them. Each has a short name ("time": in results, --limit, receipts) and the name
 * of its setting ("wasm_timeout": in settings.json). Order: built-in default, what a tool's descriptor asks for (it may
 * only lower), settings.json, the session's grant (--limit). A value out of range is refused with its name and range. */
#ifndef BX_BOX_LIMITS_H
#define BX_BOX_LIMITS_H

#include "json/write.h"

enum bx_limit_unit { BX_UNIT_MS, BX_UNIT_BYTES, BX_UNIT_COUNT };

/* id, name, setting, unit, default, min, max, what */
#define BX_LIMIT_MAP(XX)                                                                                               \
    XX(TIME, "time", "wasm_timeout", MS, 30000, 10, 86400000, "wall time, waiting included")                           \
    XX(CPU, "cpu", "cpu_time", MS, 20000, 10, 86400000, "processor time")                                              \
    XX(FUEL, "fuel", "wasm_fuel", COUNT, 0, 0, UINT64_C(1) << 60, "instructions; 0 leaves it to cpu")                  \
    XX(MEMORY, "memory", "wasm_max_memory_size", BYTES, 256 << 20, 1 << 20, 1 << 30, "memory of the tool")             \
    XX(STACK, "stack", "wasm_max_wasm_stack", BYTES, 512 << 10, 64 << 10, 8 << 20, "call stack, rounded up to a class") \
    XX(TABLE, "table", "max_table_elements", COUNT, 100000, 1000, 1000000, "elements of tables")                       \
    XX(INSTANCES, "instances", "max_instances", COUNT, 64, 4, 256, "instances, tables and memories by number")         \
    XX(PROCESSES, "processes", "max_processes", COUNT, 64, 1, 256, "processes of a call alive at a time")              \
    XX(OUTPUT, "output", "max_output", BYTES, 10 << 20, 1 << 10, 256 << 20, "standard output")                         \
    XX(REQUEST, "request", "max_request_bytes", BYTES, 10 << 20, 0, 256 << 20, "body of an outgoing request")          \
    XX(RESPONSE, "response", "max_response_bytes", BYTES, 10 << 20, 1 << 10, 256 << 20, "body of an answer")           \
    XX(WRITTEN, "written", "max_written_bytes", BYTES, 1 << 30, 1 << 10, UINT64_C(1) << 40, "size of one written file")

enum bx_limit_id {
#define XX(id, name, setting, unit, def, min, max, what) BX_LIMIT_##id,
    BX_LIMIT_MAP(XX)
#undef XX
    BX_LIMIT_COUNT
};

struct bx_limit_info {
    const char *name;
    const char *setting;
    enum bx_limit_unit unit;
    uint64_t default_value;
    uint64_t min;
    uint64_t max;
    const char *what;
};
const struct bx_limit_info *bx_limit_info(enum bx_limit_id id);

/* What a tool that comes from outside is given as fuel when nobody says otherwise. */
#define BX_LIMIT_FUEL_OUTSIDE UINT64_C(10000000000)

struct bx_limits {
    uint64_t value[BX_LIMIT_COUNT]; /* milliseconds, bytes, counts */
};

void bx_limits_init(struct bx_limits *l); /* the defaults */
/* name: either of its two. value: "30s" "500ms" "2m" "256MiB" "64k" "10G"; a bare number is seconds for times (a fraction
 * is fine), bytes for sizes. BX_ERR_NOTFOUND (says which names there are), BX_ERR_INVALID (says the range). */
int bx_limits_set(struct bx_limits *l, struct bx_str name, struct bx_str value, struct bx_err *err);
int bx_limits_set_pair(struct bx_limits *l, const char *name_and_value, struct bx_err *err); /* "time=60s" */
/* Takes the members that are limits, by either name, numbers or strings as above; leaves the others alone. */
int bx_limits_read(struct bx_limits *l, const struct bx_val *obj, struct bx_err *err);
/* The same for a descriptor's wants: values above what is there are ignored. */
int bx_limits_lower(struct bx_limits *l, const struct bx_val *wants, struct bx_err *err);
void bx_limit_print(struct bx_buf *out, enum bx_limit_id id, uint64_t value); /* "30 s", "256 MiB", "10,000,000" */
/* "stopped after 30 s (time limit, wasm_timeout); raise it with --limit time=1m or in settings.json: "limits": {"read":
 * {"time": "1m"}}" */
void bx_limit_say(struct bx_buf *out, enum bx_limit_id id, uint64_t value, const char *tool);
bool bx_limit_is_known(struct bx_str name); /* either of a limit's two names */
void bx_limits_write(struct bx_jw *w, const struct bx_limits *l); /* one object, short names, plain numbers */

#endif
