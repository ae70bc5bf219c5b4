#include <math.h>

#include "agent/budget.h"
#include "box/limits.h"

#define MICRO     1000000
#define MONEY_MAX 1e6 /* US$ */

static int bad(const char *name, struct bx_err *err) {
    static const char *const hints[] = {"a whole number", "US$, as in 1.50",
                                        "seconds, or a text like \"10m\""};
    size_t hint = strcmp(name, "money") == 0 ? 1 : strcmp(name, "time") == 0 ? 2 : 0;
    return bx_fail(err, BX_ERR_INVALID,
                   "the budget \"%s\" must be %s, above 0; leave it out or "
                   "write null for none",
                   name, hints[hint]);
}

static int read_money(const struct bx_val *v, int64_t *ret, struct bx_err *err) {
    double dollars = bx_val_real(v, -1);
    if (!(dollars > 0 && dollars <= MONEY_MAX))
        return bad("money", err);
    *ret = BX_MAX((int64_t)llround(dollars * MICRO), 1);
    return 0;
}

static int read_time(const struct bx_val *v, int64_t *ret, struct bx_err *err) {
    char number[32];
    struct bx_limits scratch;
    struct bx_err why = {0};
    double seconds = bx_val_real(v, -1);
    if (!bx_val_is(v, BX_VAL_STR) && !(seconds > 0 && seconds <= 86400))
        return bad("time", err);
    snprintf(number, sizeof number, "%.3f", seconds);
    bx_limits_init(&scratch);
    struct bx_str text = bx_val_is(v, BX_VAL_STR) ? bx_val_str(v) : bx_str(number);
    if (bx_limits_set(&scratch, BX_STR_LIT("time"), text, &why))
        return bx_fail(err, BX_ERR_INVALID, "the budget \"time\": %s", why.msg);
    *ret = (int64_t)scratch.value[BX_LIMIT_TIME];
    return 0;
}

static int read_count(const char *name, const struct bx_val *v, int64_t *ret, struct bx_err *err) {
    int64_t n = bx_val_int(v, 0);
    if (n < 1 || (strcmp(name, "max_turns") == 0 && n > 10000))
        return n < 1 ? bad(name, err)
                     : bx_fail(err, BX_ERR_INVALID, "the budget \"max_turns\" is at most 10000");
    *ret = n;
    return 0;
}

int bx_budget_read(const struct bx_val *obj, int64_t caps[BX_BUDGET_COUNT], struct bx_err *err) {
    if (obj && !bx_val_is(obj, BX_VAL_OBJ) && !bx_val_is(obj, BX_VAL_NULL))
        return bx_fail(err, BX_ERR_INVALID, "a budget must be an object, not %s",
                       bx_val_type_name(obj));
    bx_val_foreach_member (obj, name, value) {
        unsigned kind = 0;
        while (kind < BX_BUDGET_COUNT &&
               !bx_str_eqz(name, bx_budget_name((enum bx_budget_kind)kind)))
            kind++;
        if (kind == BX_BUDGET_COUNT)
            return bx_fail(err, BX_ERR_INVALID,
                           "there is no budget \"" BX_STR_FMT
                           "\": max_turns, tokens, money, calls, time, fuel",
                           BX_STR_ARG(bx_str_slice(name, 0, 60)));
        if (bx_val_is(value, BX_VAL_NULL))
            continue;
        int64_t cap = 0;
        int rc = kind == BX_BUDGET_MONEY ? read_money(value, &cap, err)
                 : kind == BX_BUDGET_TIME_MS
                     ? read_time(value, &cap, err)
                     : read_count(bx_budget_name((enum bx_budget_kind)kind), value, &cap, err);
        if (rc)
            return rc;
        caps[kind] = cap;
    }
    return 0;
}

void bx_budget_write(struct bx_jw *w, const int64_t caps[BX_BUDGET_COUNT]) {
    bx_jw_obj(w);
    for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++) {
        if (caps[kind] < 0)
            continue;
        bx_jw_key(w, bx_budget_name((enum bx_budget_kind)kind));
        if (kind == BX_BUDGET_MONEY)
            bx_jw_real(w, (double)caps[kind] / MICRO);
        else if (kind == BX_BUDGET_TIME_MS)
            bx_jw_real(w, (double)caps[kind] / 1000);
        else
            bx_jw_int(w, caps[kind]);
    }
    bx_jw_end(w);
}

void bx_budget_print(struct bx_buf *out, enum bx_budget_kind kind, int64_t amount) {
    static const char *const units[BX_BUDGET_COUNT] = {
        [BX_BUDGET_TURNS] = "turns", [BX_BUDGET_TOKENS] = "tokens",
        [BX_BUDGET_MONEY] = "",      [BX_BUDGET_CALLS] = "calls",
        [BX_BUDGET_TIME_MS] = "",    [BX_BUDGET_FUEL] = "instructions",
    };
    if (kind == BX_BUDGET_MONEY)
        bx_buf_addf(out, "US$ %.*f", amount % 10000 ? 6 : 2, (double)amount / MICRO);
    else if (kind == BX_BUDGET_TIME_MS)
        bx_limit_print(out, BX_LIMIT_TIME, (uint64_t)amount);
    else
        bx_buf_addf(out, "%" PRId64 " %s", amount, units[kind]);
}
