#include "store/facts.h"

#include "base/clock.h"
#include "json/write.h"

#define TITLE_CHARS 80

static void waiting_deinit(struct bx_waiting *w) {
    bx_free(w->id);
    bx_free(w->members);
}

void bx_facts_deinit(struct bx_facts *f) {
    bx_free(f->title);
    bx_free(f->first_text);
    bx_free(f->model);
    bx_free(f->mode);
    bx_free(f->earlier_mode);
    bx_free(f->todos);
    bx_free(f->budget);
    for (size_t i = 0; i < f->queued.n; i++)
        waiting_deinit(&f->queued.p[i]);
    bx_vec_free(&f->queued);
    bx_free(f->agent);
    bx_vec_free(&f->rewound);
    *f = (struct bx_facts){0};
}

static void set(char **field, struct bx_str value) {
    bx_free(*field);
    *field = bx_str_dup(value);
}

static void set_json(char **field, const struct bx_val *value, enum bx_val_type type) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, value);
    bx_free(*field);
    *field = bx_val_is(value, type) && !bx_buf_failed(&text) ? bx_strdup(bx_buf_z(&text)) : NULL;
    bx_buf_deinit(&text);
}

static void take_out(struct bx_facts *f, struct bx_str id) {
    for (size_t i = 0; i < f->queued.n; i++) {
        if (bx_str_eqz(id, f->queued.p[i].id)) {
            waiting_deinit(&f->queued.p[i]);
            bx_vec_remove(&f->queued, i);
            return;
        }
    }
}

/* One line of at most 80 characters. */
static char *short_line(struct bx_str text) {
    text = bx_str_trim(text);
    size_t n = 0, chars = 0;
    while (n < text.n && chars < TITLE_CHARS) {
        n++;
        while (n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
            n++;
        chars++;
    }
    char *line = bx_strndup(text.p ? text.p : "", n);
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
    return line;
}

/* What is longer than it may be is not ours. */
static void take_text(char *ret, size_t size, struct bx_str text) {
    bool fits = text.n < size && !(text.n && memchr(text.p, '\0', text.n));
    snprintf(ret, size, BX_STR_FMT, BX_STR_ARG(fits ? text : bx_str("")));
}

void bx_facts_header(struct bx_facts *f, const struct bx_val *header) {
    set(&f->title, bx_val_get_str(header, "title"));
    set(&f->model, bx_val_get_str(header, "model"));
    set(&f->mode, bx_val_get_str(header, "mode"));
    set(&f->agent, bx_val_get_str(header, "agent"));
    take_text(f->kind, sizeof f->kind, bx_val_get_str(header, "kind"));
    const struct bx_val *parent = bx_val_get(header, "parent"),
                        *fork = bx_val_get(header, "forked_from");
    take_text(f->parent.session, sizeof f->parent.session, bx_val_get_str(parent, "session"));
    take_text(f->parent.run, sizeof f->parent.run, bx_val_get_str(parent, "run"));
    take_text(f->parent.call, sizeof f->parent.call, bx_val_get_str(parent, "call"));
    take_text(f->forked_from.session, sizeof f->forked_from.session,
              bx_val_get_str(fork, "session"));
    f->forked_from.seq = (uint64_t)BX_MAX(bx_val_get_int(fork, "seq", 0), 0);
    int64_t t = 0;
    if (bx_time_parse(bx_val_get_str(header, "created_at"), &t))
        f->created_at_ms = f->updated_at_ms = t;
}

static bool wants(struct bx_str type) {
    static const char *const wanted[] = {"user",    "title",  "model",  "mode",    "run_start",
                                         "run_end", "todo",   "pin",    "planner", "usage",
                                         "rewind",  "budget", "queued", "unqueue", "compact"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wanted); i++) {
        if (bx_str_eqz(type, wanted[i]))
            return true;
    }
    return false;
}

static void add_usage(struct bx_facts *f, const struct bx_val *body) {
    double cost = bx_val_real(bx_val_get(body, "cost"), -1);
    f->input_tokens += BX_MAX(bx_val_get_int(body, "input_tokens", 0), 0);
    f->output_tokens += BX_MAX(bx_val_get_int(body, "output_tokens", 0), 0);
    if (cost >= 0) {
        f->cost += cost;
        f->cost_known = true;
    }
}

/* The events from `to` to here are out of the conversation; ranges that are within go into this
 * one. */
static void add_rewind(struct bx_facts *f, uint64_t to, uint64_t here) {
    struct bx_seq_range range = {to, here};
    if (to < 1 || to >= here)
        return; /* not by us */
    while (f->rewound.n && f->rewound.p[f->rewound.n - 1].to + 1 >= range.from) {
        range.from = BX_MIN(range.from, f->rewound.p[f->rewound.n - 1].from);
        f->rewound.n--;
    }
    bx_vec_push(&f->rewound, range);
}

static void add_waiting(struct bx_facts *f, const struct bx_val *body) {
    static const char *const members[] = {"id", "text", "skill", "args", "compact", "message"};
    struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    for (size_t i = 0; i < BX_ARRAY_LEN(members); i++)
        if (bx_val_is(bx_val_get(body, members[i]), BX_VAL_STR))
            bx_jw_kval(&w, members[i], bx_val_get(body, members[i]));
    bx_jw_end(&w);
    if (!bx_buf_failed(&text))
        bx_vec_push(&f->queued, ((struct bx_waiting){.id = bx_str_dup(bx_val_get_str(body, "id")),
                                                     .members = bx_strdup(bx_buf_z(&text))}));
    bx_buf_deinit(&text);
}

/* What the next run begins with. */
static void run_event(struct bx_facts *f, struct bx_str type, const struct bx_val *body) {
    if (bx_str_eqz(type, "budget"))
        set_json(&f->budget, bx_val_get(body, "budget"), BX_VAL_OBJ);
    else if (bx_str_eqz(type, "unqueue"))
        take_out(f, bx_val_get_str(body, "id"));
    else
        add_waiting(f, body);
}

bool bx_facts_event(struct bx_facts *f, struct bx_str type, uint64_t seq, int64_t t_ms,
                    const struct bx_val *body) {
    f->events++;
    if (t_ms > f->updated_at_ms)
        f->updated_at_ms = t_ms;
    if (bx_str_eqz(type, "question") || bx_str_eqz(type, "answer"))
        return true; /* the list says who waits for an answer */
    if (!wants(type))
        return false;
    if (bx_str_eqz(type, "run_start") || bx_str_eqz(type, "run_end")) {
        bool open = bx_str_eqz(type, "run_start"), changed = f->open_run != open;
        f->open_run = open;
        return changed;
    }
    if (bx_str_eqz(type, "user")) {
        take_out(f, bx_val_get_str(body, "queued")); /* it has joined */
        if (f->first_text || !bx_val_get_str(body, "text").n)
            return false;
        f->first_text = short_line(bx_val_get_str(body, "text"));
        return true;
    }
    if (bx_str_eqz(type, "compact")) {
        take_out(f, bx_val_get_str(body, "queued")); /* it was asked for while a run was active */
        return false;
    }
    if (bx_str_eqz(type, "usage")) {
        add_usage(f, body);
        return false; /* the run's end tells the list */
    }
    if (bx_str_eqz(type, "rewind")) {
        add_rewind(f, (uint64_t)BX_MAX(bx_val_get_int(body, "to", 0), 0), seq);
        return false;
    }
    if (bx_str_eqz(type, "pin") || bx_str_eqz(type, "planner")) {
        bool *flag = bx_str_eqz(type, "pin") ? &f->pinned : &f->planner;
        *flag = bx_val_get_bool(body, bx_str_eqz(type, "pin") ? "pinned" : "planner", false);
        return true;
    }
    if (bx_str_eqz(type, "todo")) {
        set_json(&f->todos, bx_val_get(body, "todos"), BX_VAL_ARR);
        return false;
    }
    if (bx_str_eqz(type, "budget") || bx_str_eqz(type, "queued") || bx_str_eqz(type, "unqueue")) {
        run_event(f, type, body);
        return false;
    }
    char **field = bx_str_eqz(type, "title")   ? &f->title
                   : bx_str_eqz(type, "model") ? &f->model
                                               : &f->mode;
    struct bx_str value = bx_val_get_str(body, bx_str_eqz(type, "title")   ? "title"
                                               : bx_str_eqz(type, "model") ? "model"
                                                                           : "mode");
    if (!value.p)
        return false;
    if (field == &f->mode && !bx_str_eqz(value, f->mode ? f->mode : ""))
        set(&f->earlier_mode, bx_str(f->mode));
    set(field, value);
    return true;
}

void bx_facts_row(const struct bx_facts *f, const char *id, bool damaged,
                  struct bx_session_row *ret) {
    bool titled = f->title && f->title[0];
    *ret = (struct bx_session_row){
        .title = bx_strdup(titled          ? f->title
                           : f->first_text ? f->first_text
                                           : ""),
        .model = bx_strdup(f->model ? f->model : ""),
        .mode = bx_strdup(f->mode ? f->mode : ""),
        .created_at_ms = f->created_at_ms,
        .updated_at_ms = f->updated_at_ms,
        .events = f->events,
        .damaged = damaged,
        .open_run = f->open_run,
        .pinned = f->pinned,
        .planner = f->planner,
        .agent = bx_strdup(f->agent ? f->agent : ""),
        .parent = f->parent,
        .forked_from = f->forked_from,
        .input_tokens = f->input_tokens,
        .output_tokens = f->output_tokens,
        .cost = f->cost,
        .cost_known = f->cost_known,
    };
    snprintf(ret->kind, sizeof ret->kind, "%s", f->kind[0] ? f->kind : "chat");
    memcpy(ret->id, id, strnlen(id, sizeof ret->id - 1));
}
