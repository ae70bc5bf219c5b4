#include "store/facts.h"

#include "base/clock.h"
#include "json/write.h"

#define TITLE_CHARS 80

void bx_facts_deinit(struct bx_facts *f) {
    bx_free(f->title);
    bx_free(f->first_text);
    bx_free(f->model);
    bx_free(f->mode);
    bx_free(f->earlier_mode);
    bx_free(f->todos);
    *f = (struct bx_facts){0};
}

static void set(char **field, struct bx_str value) {
    bx_free(*field);
    *field = bx_str_dup(value);
}

static void set_todos(struct bx_facts *f, const struct bx_val *todos) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_val(&w, todos);
    bx_free(f->todos);
    f->todos =
        bx_val_is(todos, BX_VAL_ARR) && !bx_buf_failed(&text) ? bx_strdup(bx_buf_z(&text)) : NULL;
    bx_buf_deinit(&text);
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

void bx_facts_header(struct bx_facts *f, const struct bx_val *header) {
    set(&f->title, bx_val_get_str(header, "title"));
    set(&f->model, bx_val_get_str(header, "model"));
    set(&f->mode, bx_val_get_str(header, "mode"));
    int64_t t = 0;
    if (bx_time_parse(bx_val_get_str(header, "created_at"), &t))
        f->created_at_ms = f->updated_at_ms = t;
}

bool bx_facts_wants(struct bx_str type) {
    static const char *const wanted[] = {"user",      "title",   "model", "mode",
                                         "run_start", "run_end", "todo"};
    for (size_t i = 0; i < BX_ARRAY_LEN(wanted); i++) {
        if (bx_str_eqz(type, wanted[i]))
            return true;
    }
    return false;
}

bool bx_facts_event(struct bx_facts *f, struct bx_str type, int64_t t_ms,
                    const struct bx_val *body) {
    f->events++;
    if (t_ms > f->updated_at_ms)
        f->updated_at_ms = t_ms;
    if (bx_str_eqz(type, "question") || bx_str_eqz(type, "answer"))
        return true; /* the list says who waits for an answer */
    if (!bx_facts_wants(type))
        return false;
    if (bx_str_eqz(type, "run_start") || bx_str_eqz(type, "run_end")) {
        bool open = bx_str_eqz(type, "run_start"), changed = f->open_run != open;
        f->open_run = open;
        return changed;
    }
    if (bx_str_eqz(type, "user")) {
        if (f->first_text || !bx_val_get_str(body, "text").n)
            return false;
        f->first_text = short_line(bx_val_get_str(body, "text"));
        return true;
    }
    if (bx_str_eqz(type, "todo")) {
        set_todos(f, bx_val_get(body, "todos"));
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
    };
    memcpy(ret->id, id, strnlen(id, sizeof ret->id - 1));
}
