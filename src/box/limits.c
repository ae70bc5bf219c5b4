#include "box/limits.h"

static const struct bx_limit_info infos[BX_LIMIT_COUNT] = {
#define XX(id, name, setting, unit, def, min, max, what)                                           \
    {name, setting, BX_UNIT_##unit, def, min, max, what},
    BX_LIMIT_MAP(XX)
#undef XX
};

struct unit {
    const char *name;
    uint64_t factor;
};
/* The first that divides a value evenly prints it. */
static const struct unit times[] = {
    {"h", 3600000}, {"m", 60000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"G", 1 << 30},  {"M", 1 << 20},
    {"K", 1 << 10},   {"GB", 1 << 30},  {"MB", 1 << 20},  {"KB", 1 << 10}, {"B", 1}};
static const struct unit counts[] = {{"G", 1000000000}, {"M", 1000000}, {"K", 1000}};

static const struct unit *units_of(enum bx_limit_unit unit, size_t *ret_count) {
    switch (unit) {
    case BX_UNIT_MS:
        *ret_count = BX_ARRAY_LEN(times);
        return times;
    case BX_UNIT_BYTES:
        *ret_count = BX_ARRAY_LEN(sizes);
        return sizes;
    default:
        *ret_count = BX_ARRAY_LEN(counts);
        return counts;
    }
}

const struct bx_limit_info *bx_limit_info(enum bx_limit_id id) {
    assert((unsigned)id < BX_LIMIT_COUNT);
    return &infos[id];
}

void bx_limits_init(struct bx_limits *l) {
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        l->value[i] = infos[i].default_value;
    }
}

static int find(struct bx_str name) {
    for (int i = 0; i < BX_LIMIT_COUNT; i++) {
        if (bx_str_eqz(name, infos[i].name) || bx_str_eqz(name, infos[i].setting)) {
            return i;
        }
    }
    return -1;
}

static int out_of_range(int id, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(256);
    bx_limit_print(&text, (enum bx_limit_id)id, infos[id].min);
    bx_buf_addz(&text, " to ");
    bx_limit_print(&text, (enum bx_limit_id)id, infos[id].max);
    return bx_fail(err, BX_ERR_INVALID, "the limit %s (%s) must be from %s", infos[id].name,
                   infos[id].setting, bx_buf_z(&text));
}

static int store(struct bx_limits *l, int id, uint64_t value, struct bx_err *err) {
    if (value < infos[id].min || value > infos[id].max) {
        return out_of_range(id, err);
    }
    l->value[id] = value;
    return 0;
}

/* "1.5" -> 1500 thousandths, so that fractions need no floating point; false when it is no number
 */
static bool to_thousandths(struct bx_str s, uint64_t *ret) {
    size_t dot = bx_str_find(s, '.');
    struct bx_str whole = dot == (size_t)-1 ? s : bx_str_slice(s, 0, dot), part = {0};
    uint64_t a, b = 0;
    if (dot != (size_t)-1) {
        part = bx_str_slice(s, dot + 1, 3);
        if (s.n - dot - 1 > 3 || !bx_str_to_u64(part, &b)) {
            return false;
        }
        for (size_t i = part.n; i < 3; i++) {
            b *= 10;
        }
    }
    if (!bx_str_to_u64(whole, &a) || a > UINT64_MAX / 1000 - 1) {
        return false;
    }
    *ret = a * 1000 + b;
    return true;
}

int bx_limits_set(struct bx_limits *l, struct bx_str name, struct bx_str value,
                  struct bx_err *err) {
    int id = find(name);
    if (id < 0) {
        bx_auto(bx_buf_deinit) struct bx_buf known = BX_BUF_INIT(256);
        for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
            bx_buf_addf(&known, "%s%s", i ? ", " : "", infos[i].name);
        }
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "there is no limit called " BX_STR_FMT " (there are: %s)",
                       BX_STR_ARG(bx_str_slice(name, 0, 60)), bx_buf_z(&known));
    }
    value = bx_str_trim(value);
    size_t digits = 0, unit_count;
    while (digits < value.n &&
           ((value.p[digits] >= '0' && value.p[digits] <= '9') || value.p[digits] == '.')) {
        digits++;
    }
    struct bx_str unit = bx_str_trim(bx_str_slice(value, digits, value.n));
    const struct unit *units = units_of(infos[id].unit, &unit_count);
    uint64_t factor = unit.n == 0 ? (infos[id].unit == BX_UNIT_MS ? 1000 : 1) : 0, thousandths;
    for (size_t i = 0; i < unit_count && factor == 0; i++) {
        factor = bx_str_ieqz(unit, units[i].name) ? units[i].factor : 0;
    }
    if (factor == 0 || !to_thousandths(bx_str_slice(value, 0, digits), &thousandths)) {
        return bx_fail(err, BX_ERR_INVALID,
                       "the limit %s cannot be " BX_STR_FMT ": write it like %s", infos[id].name,
                       BX_STR_ARG(bx_str_slice(value, 0, 60)),
                       infos[id].unit == BX_UNIT_MS      ? "30s, 500ms or 2m"
                       : infos[id].unit == BX_UNIT_BYTES ? "256MiB, 64KiB or 1000"
                                                         : "100000 or 10G");
    }
    if (thousandths > UINT64_MAX / factor) {
        return out_of_range(id, err);
    }
    return store(l, id, thousandths * factor / 1000, err);
}

int bx_limits_set_pair(struct bx_limits *l, const char *name_and_value, struct bx_err *err) {
    struct bx_str all = bx_str(name_and_value);
    size_t eq = bx_str_find(all, '=');
    if (eq == (size_t)-1) {
        return bx_fail(err, BX_ERR_INVALID, "write a limit as NAME=VALUE, for example time=60s");
    }
    return bx_limits_set(l, bx_str_slice(all, 0, eq), bx_str_slice(all, eq + 1, all.n), err);
}

static int set_val(struct bx_limits *l, struct bx_str name, const struct bx_val *v,
                   struct bx_err *err) {
    char text[40];
    switch (bx_val_type(v)) {
    case BX_VAL_STR:
        return bx_limits_set(l, name, bx_val_str(v), err);
    case BX_VAL_INT:
        snprintf(text, sizeof text, "%" PRIi64, bx_val_int(v, 0));
        return bx_limits_set(l, name, bx_str(text), err);
    case BX_VAL_REAL:
        snprintf(text, sizeof text, "%.3f", bx_val_real(v, 0));
        return bx_limits_set(l, name, bx_str(text), err);
    default:
        return bx_fail(err, BX_ERR_INVALID,
                       "the limit " BX_STR_FMT " must be a number or a text like \"30s\"",
                       BX_STR_ARG(name));
    }
}

int bx_limits_read(struct bx_limits *l, const struct bx_val *obj, struct bx_err *err) {
    bx_val_foreach_member (obj, key, value) {
        int r = find(key) < 0 ? 0 : set_val(l, key, value, err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int bx_limits_lower(struct bx_limits *l, const struct bx_val *wants, struct bx_err *err) {
    struct bx_limits wanted = *l;
    int r = bx_limits_read(&wanted, wants, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        bool unlimited = i == BX_LIMIT_FUEL && l->value[i] == 0,
             asks = wanted.value[i] != 0 || i != BX_LIMIT_FUEL;
        if (asks && (unlimited || wanted.value[i] < l->value[i])) {
            l->value[i] = wanted.value[i];
        }
    }
    return 0;
}

void bx_limit_print(struct bx_buf *out, enum bx_limit_id id, uint64_t value) {
    size_t unit_count;
    const struct unit *units = units_of(infos[id].unit, &unit_count);
    if (infos[id].unit != BX_UNIT_COUNT) {
        for (size_t i = 0; i < unit_count; i++) {
            if (value % units[i].factor == 0 && (value > 0 || units[i].factor == 1)) {
                bx_buf_addf(out, "%" PRIu64 " %s", value / units[i].factor, units[i].name);
                return;
            }
        }
    }
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < n; i++) {
        bx_buf_addf(out, "%s%c", i > 0 && (n - i) % 3 == 0 ? "," : "", digits[i]);
    }
}

bool bx_limit_is_known(struct bx_str name) {
    return find(name) >= 0;
}

/* As it is typed: "60s". */
static void print_typed(struct bx_buf *out, enum bx_limit_id id, uint64_t value) {
    bx_auto(bx_buf_deinit) struct bx_buf number = BX_BUF_INIT(64);
    bx_limit_print(&number, id, value);
    for (size_t i = 0; i < number.size; i++) {
        if (number.p[i] != ' ' && number.p[i] != ',') {
            bx_buf_addc(out, number.p[i]);
        }
    }
}

void bx_limit_say(struct bx_buf *out, enum bx_limit_id id, uint64_t value, const char *tool) {
    const struct bx_limit_info *info = bx_limit_info(id);
    bool ran = id == BX_LIMIT_TIME || id == BX_LIMIT_CPU || id == BX_LIMIT_FUEL;
    uint64_t more = BX_MAX(BX_MIN(value * 2, info->max), value);
    bx_buf_addf(out, "%s", ran ? "stopped after " : "wanted more than ");
    bx_limit_print(out, id, value);
    bx_buf_addf(out, " (%s limit, %s", info->name, info->setting);
    if (more == value) {
        bx_buf_addz(out, "), which is the most there can be");
        return;
    }
    bx_buf_addf(out, "); raise it with --limit %s=", info->name);
    print_typed(out, id, more);
    bx_buf_addf(out, " or in settings.json: \"limits\": {\"%s\": {\"%s\": \"", tool, info->name);
    print_typed(out, id, more);
    bx_buf_addz(out, "\"}}");
}

void bx_limits_write(struct bx_jw *w, const struct bx_limits *l) {
    bx_jw_obj(w);
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        bx_jw_kuint(w, infos[i].name, l->value[i]);
    }
    bx_jw_end(w);
}
