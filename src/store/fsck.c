#include "store/fsck.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "store/fsck_impl.h"
#include "store/index_file.h"
#include "store/lines.h"
#include "store/scan.h"

#define GAP_MAX 4096 /* as the reader of sessions has it (scan.c) */

void bx_fsck_say(struct bx_fsck *f, const char *path, uint64_t line, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct bx_fsck_problem p = {.path = path, .line = line, .text = text};
    f->report->problems++;
    f->found(f->user, &p);
}

/* ---- one line ---- */

void bx_fsck_read_line(struct bx_str text, bool too_long, uint64_t last_seq,
                       struct bx_fsck_line *ret) {
    struct bx_json_limits limits = {.max_size_bytes = BX_EVENT_MAX_BYTES};
    struct bx_err err = {0};
    *ret = (struct bx_fsck_line){.good = false};
    if (too_long) {
        ret->why = "is larger than an event may be";
        return;
    }
    if (bx_doc_parse(text, &limits, &ret->doc, &err) < 0) {
        ret->why = text.n && bx_str_find(text, '\0') != (size_t)-1
                       ? "holds zero bytes: the disk lost what was written"
                       : "is no JSON";
        return;
    }
    int64_t seq = bx_val_get_int(bx_doc_root(ret->doc), "seq", 0);
    if (seq < 1 || !bx_val_get_str(bx_doc_root(ret->doc), "type").n)
        ret->why = "is no event: it has no seq or no type";
    else if ((uint64_t)seq <= last_seq)
        ret->why = "has a seq that was there before";
    else if ((uint64_t)seq - last_seq > GAP_MAX)
        ret->why = "has a seq that is far beyond the one before";
    ret->seq = (uint64_t)seq;
    ret->good = ret->why == NULL;
}

/* ---- one file ---- */

static void say(struct bx_fsck_file *file, uint64_t line, const char *text) {
    bx_fsck_say(file->fsck, file->path, line, "%s", text);
    file->wrong = true;
}

void bx_fsck_file_deinit(struct bx_fsck_file *file) {
    bx_map_free(file->calls);
    bx_free(file->path);
}

static void look_at_header(struct bx_fsck_file *file, struct bx_str text) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *v = bx_doc_parse(text, NULL, &doc, NULL) == 0 ? bx_doc_root(doc) : NULL;
    struct bx_str id = bx_val_get_str(v, "id");
    file->bad_header = true;
    if (bx_val_get_int(v, "v", 0) < 1 || !bx_id_is_valid(id))
        say(file, 1, "is no header of a session");
    else if (!bx_str_eqz(id, file->id))
        say(file, 1, "names another session than the file's name does");
    else
        file->bad_header = false;
    file->executor = bx_str_eqz(bx_val_get_str(v, "kind"), "executor");
    const char *parent = bx_val_get_z(bx_val_get(v, "parent"), "session");
    struct bx_store *s = file->fsck->store;
    if (!file->bad_header && parent && *parent && bx_id_is_valid(bx_str(parent)) &&
        !bx_store_place_has(s, BX_PLACE_SESSIONS, parent) &&
        !bx_store_place_has(s, BX_PLACE_ARCHIVE, parent) &&
        !bx_store_place_has(s, BX_PLACE_TRASH, parent)) {
        bx_fsck_say(file->fsck, file->path, 1,
                    "is an executor's session, and its manager's (%s) is gone", parent);
        file->wrong = file->orphan = true;
    }
}

static void add_calls(struct bx_fsck_file *file, const struct bx_val *event, uint64_t line) {
    bx_val_foreach_item (bx_val_get(event, "calls"), call) {
        struct bx_str id = bx_val_get_str(call, "id"), tool = bx_val_get_str(call, "tool");
        if (!id.n)
            continue;
        struct bx_fsck_call *c = bx_alloc(sizeof *c + tool.n + 1);
        c->line = line;
        snprintf(c->run, sizeof c->run, BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "run")));
        memcpy(c->tool, tool.p ? tool.p : "", tool.n);
        c->tool[tool.n] = '\0';
        bx_map_put(file->calls, id, c);
    }
}

static void look_at_event(struct bx_fsck_file *file, const struct bx_val *event, uint64_t line) {
    struct bx_str type = bx_val_get_str(event, "type"), run = bx_val_get_str(event, "run");
    if (bx_str_eqz(type, "run_start")) {
        if (file->run[0])
            bx_fsck_say(file->fsck, file->path, line, "begins a run, and run %s has no end",
                        file->run);
        snprintf(file->run, sizeof file->run, BX_STR_FMT, BX_STR_ARG(run));
    } else if (bx_str_eqz(type, "run_end")) {
        file->run[0] = '\0';
        file->waits = false;
    } else if (bx_str_eqz(type, "question") || bx_str_eqz(type, "answer")) {
        file->waits = bx_str_eqz(type, "question") && !file->executor;
    } else if (bx_str_eqz(type, "assistant")) {
        add_calls(file, event, line);
    } else if (bx_str_eqz(type, "tool_result")) {
        bx_map_remove(file->calls, bx_val_get_str(event, "call"));
    }
}

static void look_at_line(struct bx_fsck_file *file, const struct bx_line *line, uint64_t number) {
    struct bx_fsck_line l;
    bx_fsck_read_line(line->text, line->too_long, file->last_seq, &l);
    if (!l.good) {
        bx_fsck_say(file->fsck, file->path, number, "%s", l.why);
        file->wrong = true;
    } else {
        if (l.seq == file->last_seq + 2)
            bx_fsck_say(file->fsck, file->path, number, "event %" PRIu64 " is missing before it",
                        l.seq - 1);
        else if (l.seq > file->last_seq + 2)
            bx_fsck_say(file->fsck, file->path, number,
                        "events %" PRIu64 " to %" PRIu64 " are missing before it",
                        file->last_seq + 1, l.seq - 1);
        file->wrong = file->wrong || l.seq != file->last_seq + 1;
        file->last_seq = l.seq;
        file->fsck->report->events++;
        look_at_event(file, bx_doc_root(l.doc), number);
    }
    bx_doc_free(l.doc);
}

static void look_at_end(struct bx_fsck_file *file, uint64_t end, uint64_t size, uint64_t lines) {
    bool in_use = file->fsck->options->in_use;
    if (size > end && !in_use) {
        bx_fsck_say(file->fsck, file->path, lines + 1,
                    "is torn: %" PRIu64 " bytes without a line end", size - end);
        file->wrong = true;
    }
    if (file->run[0] && !in_use && !file->waits) {
        bx_fsck_say(file->fsck, file->path, lines,
                    "run %s has no end: the next start of the server closes it", file->run);
        file->wrong = true;
    }
    struct bx_str id;
    void *value;
    for (size_t at = 0; bx_map_next(file->calls, &at, &id, &value);) {
        const struct bx_fsck_call *call = value;
        if (file->run[0] && strcmp(call->run, file->run) == 0)
            continue; /* closed with the run, or still at work */
        bx_fsck_say(file->fsck, file->path, call->line,
                    "the call " BX_STR_FMT " of %s has no result", BX_STR_ARG(id), call->tool);
        file->wrong = true;
    }
}

int bx_fsck_look(struct bx_fsck_file *file, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        bx_fsck_say(file->fsck, file->path, 0, "cannot be read: %s",
                    fd < 0 ? strerror(errno) : "it is no regular file");
        return 0;
    }
    struct bx_lines lines;
    struct bx_line line;
    uint64_t number = 0, end = 0;
    int rc;
    file->calls = bx_map_new(bx_free);
    bx_lines_init(&lines, fd, BX_EVENT_MAX_BYTES);
    while ((rc = bx_lines_next(&lines, &line, err)) > 0 &&
           !bx_cancel_fired(file->fsck->options->cancel)) {
        end = lines.offset + lines.at;
        if (++number == 1)
            look_at_header(file, line.text);
        else
            look_at_line(file, &line, number);
    }
    bx_lines_deinit(&lines);
    if (rc < 0)
        return rc;
    if (number == 0 && st.st_size == 0)
        say(file, 0, "is empty");
    file->bad_header = file->bad_header || number == 0;
    look_at_end(file, end, (uint64_t)st.st_size, number);
    return 0;
}

/* ---- all of them ---- */

static int check_file(struct bx_fsck *f, const char *dir, const char *name, struct bx_err *err) {
    bx_auto(bx_fsck_file_deinit) struct bx_fsck_file file = {.fsck = f,
                                                             .path = bx_path_join(dir, name)};
    memcpy(file.id, name, BX_ID_LEN);
    f->report->files++;
    int rc = bx_fsck_look(&file, err);
    if (rc == 0 && file.wrong && f->options->repair) {
        rc = bx_fsck_repair(&file, err);
        f->report->repaired += rc == 0;
    }
    return rc;
}

/* What a crash left of a file that was being written. */
static int check_left_over(struct bx_fsck *f, const char *dir, const char *name,
                           struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    if (f->options->in_use)
        return 0;
    bx_fsck_say(f, path, 0, "was left half written by a crash");
    int rc = f->options->repair ? bx_fsck_keep(f, path, err) : 0;
    if (rc == 0 && f->options->repair && unlink(path) == 0)
        f->report->repaired++;
    return rc;
}

struct names {
    BX_VEC(char *) names;
};

static int take_name(void *user, const char *name) {
    struct names *n = user;
    bx_vec_push(&n->names, bx_strdup(name));
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_folder(struct bx_fsck *f, const char *dir, struct bx_err *err) {
    struct names n = {.names = {0}};
    struct bx_err why = {0};
    int rc = bx_dir_each(dir, take_name, &n, &why);
    if (rc == BX_ERR_NOTFOUND)
        rc = 0;
    else if (rc < 0 && err)
        *err = why;
    if (n.names.n)
        qsort(n.names.p, n.names.n, sizeof *n.names.p, by_name);
    for (size_t i = 0; i < n.names.n; i++) {
        struct bx_str name = bx_str(n.names.p[i]);
        if (rc < 0 || bx_cancel_fired(f->options->cancel))
            break;
        if (name.n == BX_ID_LEN + 6 && bx_str_ends(name, ".jsonl") &&
            bx_id_is_valid(bx_str_slice(name, 0, BX_ID_LEN)))
            rc = check_file(f, dir, name.p, err);
        else if (bx_store_is_leftover(name.p))
            rc = check_left_over(f, dir, name.p, err);
    }
    for (size_t i = 0; i < n.names.n; i++)
        bx_free(n.names.p[i]);
    bx_vec_free(&n.names);
    return rc;
}

/* The rows that the list would take from the index as they are, against what the files say. */
static int check_index(struct bx_fsck *f, struct bx_err *err) {
    bx_auto(bx_index_entries_deinit) struct bx_index_entries entries = {0};
    bx_auto(bx_freep) char *path = bx_path_join(f->store->sessions_dir, "index");
    bool stale, wrong = false;
    int rc = bx_index_file_load(f->store->sessions_dir, &entries, &stale, err);
    for (size_t i = 0; rc == 0 && i < entries.n && !f->options->in_use; i++) {
        struct bx_index_entry e = {.size_bytes = 0};
        memcpy(e.row.id, entries.p[i].row.id, sizeof e.row.id);
        bx_index_read_session(f->store->sessions_dir, &e);
        const struct bx_session_row *a = &e.row, *b = &entries.p[i].row;
        if (strcmp(a->title, b->title) || a->events != b->events || a->open_run != b->open_run ||
            a->pinned != b->pinned || strcmp(a->parent.session, b->parent.session)) {
            bx_fsck_say(f, path, 0, "says something else of session %s than its file does", a->id);
            wrong = true;
        }
        bx_session_row_deinit(&e.row);
    }
    if (rc == 0 && wrong && f->options->repair &&
        unlink(path) == 0) /* a cache: made anew at the next start */
        f->report->repaired++;
    return rc;
}

int bx_store_fsck(struct bx_store *s, const struct bx_fsck_options *options,
                  void (*found)(void *user, const struct bx_fsck_problem *p), void *user,
                  struct bx_fsck_report *ret, struct bx_err *err) {
    struct bx_fsck f = {
        .store = s, .options = options, .found = found, .user = user, .report = ret};
    *ret = (struct bx_fsck_report){0};
    if (options->repair && s->mode != BX_STORE_OWNER)
        return bx_fail(err, BX_ERR_DENIED, "this workspace was opened for reading only");
    struct bx_session_list none;
    int rc = bx_store_list(s, &(struct bx_session_filter){.kind = "chat"}, 0, &none,
                           err); /* what reads and writes
                                     the index has ended */
    if (rc == 0)
        bx_session_list_deinit(&none);
    if (rc == 0)
        rc = check_index(&f, err); /* before repairs make its rows stale */
    if (rc == 0)
        rc = check_folder(&f, s->sessions_dir, err);
    if (rc == 0)
        rc = check_folder(&f, s->archive_dir, err);
    return rc;
}
