#include "cli/ask.h"

#include <poll.h>

#include "json/write.h"

#define MAX_OPTIONS 64

void bx_spoken_deinit(struct bx_spoken *s) {
    bx_free(s->text);
    bx_doc_free(s->answers);
    *s = (struct bx_spoken){0};
}

struct line {
    char text[4096];
    struct bx_str said; /* trimmed */
};

/* A line of the terminal. Ctrl-C may reach any thread, so the wait is for its bell too, not for an
 * interrupted read. */
static enum bx_ask read_line(int interrupt_fd, const char *prompt, struct line *ret) {
    fputs(prompt, stderr);
    fflush(stderr);
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = interrupt_fd, .events = POLLIN}};
    while (poll(p, 2, -1) < 0 && errno == EINTR) {
    }
    if (p[1].revents)
        return BX_ASK_INTERRUPTED;
    ssize_t n = read(STDIN_FILENO, ret->text, sizeof ret->text);
    if (n <= 0)
        return n < 0 && errno == EINTR ? BX_ASK_INTERRUPTED : BX_ASK_GONE;
    ret->said = bx_str_trim(bx_str_n(ret->text, (size_t)n));
    return BX_ASK_ANSWERED;
}

/* ---- one choice of several: permission, plan and the like ---- */

static const char *label_of(enum bx_choice choice) {
    static const char *const labels[BX_CHOICE_COUNT] = {
        [BX_CHOICE_SESSION] = "this session",
        [BX_CHOICE_APPROVE_EDITS] = "approve and allow edits",
    };
    return labels[choice] ? labels[choice] : bx_choice_name(choice);
}

struct menu {
    enum bx_choice choices[BX_CHOICE_COUNT]; /* by number; the first is "yes" */
    unsigned count;
    struct bx_buf prompt;
};

static void read_menu(const struct bx_val *event, struct menu *ret) {
    *ret = (struct menu){.prompt = BX_BUF_INIT(BX_KIB)};
    bx_val_foreach_item (bx_val_get(event, "choices"), word)
        if (ret->count < BX_CHOICE_COUNT &&
            bx_choice_parse(bx_val_str(word), &ret->choices[ret->count]))
            ret->count++;
    for (unsigned i = 0; i < ret->count; i++)
        bx_buf_addf(&ret->prompt, "  [%u] %s", i + 1, label_of(ret->choices[i]));
    bx_buf_addf(&ret->prompt,
                "  or say what to %s: ", bx_val_get(event, "plan") ? "change" : "do instead");
}

static bool read_choice(const struct menu *menu, struct bx_str said, struct bx_spoken *ret) {
    if (said.n == 1 && said.p[0] >= '1' && said.p[0] < (char)('1' + menu->count)) {
        ret->choice = menu->choices[said.p[0] - '1'];
    } else if (bx_str_ieqz(said, "y") || bx_str_ieqz(said, "yes")) {
        ret->choice = menu->choices[0];
    } else if (bx_str_ieqz(said, "n") || bx_str_ieqz(said, "no")) {
        ret->choice = BX_CHOICE_NO;
    } else if (said.n > 1) {
        ret->choice = BX_CHOICE_NO;
        ret->text = bx_str_dup(said);
    } else {
        return false;
    }
    return true;
}

static enum bx_ask ask_menu(const struct bx_val *event, int interrupt_fd, struct bx_spoken *ret) {
    struct menu menu;
    enum bx_ask got;
    struct line line;
    read_menu(event, &menu);
    do
        got = read_line(interrupt_fd, bx_buf_z(&menu.prompt), &line);
    while (got == BX_ASK_ANSWERED && !read_choice(&menu, line.said, ret));
    bx_buf_deinit(&menu.prompt);
    return got;
}

/* ---- questions with options ---- */

/* "2", "1 3", "1,3": true when all of it is numbers of options. */
static bool read_numbers(struct bx_str said, size_t options, bool *ret_chosen, size_t *ret_count) {
    *ret_count = 0;
    memset(ret_chosen, 0, MAX_OPTIONS * sizeof *ret_chosen);
    while (said.n) {
        size_t n = 0;
        while (n < said.n && said.p[n] != ' ' && said.p[n] != ',')
            n++;
        uint64_t number = 0;
        if (n) {
            if (!bx_str_to_u64(bx_str_slice(said, 0, n), &number) || !number || number > options)
                return false;
            *ret_count += !ret_chosen[number - 1];
            ret_chosen[number - 1] = true;
        }
        said = bx_str_slice(said, BX_MIN(n + 1, said.n), said.n);
    }
    return *ret_count > 0;
}

static void show_question(struct bx_show *s, const struct bx_val *question) {
    struct bx_str header = bx_val_get_str(question, "header");
    size_t number = 0;
    bx_show_note(s, BX_TONE_AMBER, "? " BX_STR_FMT "%s" BX_STR_FMT, BX_STR_ARG(header),
                 header.n ? ": " : "", BX_STR_ARG(bx_val_get_str(question, "question")));
    bx_val_foreach_item (bx_val_get(question, "options"), option) {
        struct bx_str more = bx_val_get_str(option, "description");
        bx_show_note(s, BX_TONE_PLAIN, "  [%zu] " BX_STR_FMT "%s" BX_STR_FMT, ++number,
                     BX_STR_ARG(bx_val_get_str(option, "label")), more.n ? " – " : "",
                     BX_STR_ARG(more));
    }
}

static void write_labels(struct bx_jw *w, const struct bx_val *options, const bool *chosen) {
    size_t i = 0;
    bx_jw_obj(w);
    bx_jw_karr(w, "selected");
    bx_val_foreach_item (options, option)
        if (chosen[i++])
            bx_jw_str(w, bx_val_get_str(option, "label"));
    bx_jw_end(w);
    bx_jw_end(w);
}

/* One question; an empty line is no answer. */
static enum bx_ask ask_one(struct bx_show *s, const struct bx_val *question, int interrupt_fd,
                           struct bx_jw *w, bool *any) {
    const struct bx_val *options = bx_val_get(question, "options");
    size_t n = BX_MIN(bx_val_len(options), (size_t)MAX_OPTIONS), count;
    bool multi = bx_val_get_bool(question, "multi", false), chosen[MAX_OPTIONS];
    const char *prompt = !n      ? "  your answer (empty: none): "
                         : multi ? "  numbers, or your own words (empty: none): "
                                 : "  a number, or your own words (empty: none): ";
    show_question(s, question);
    for (;;) {
        struct line line;
        enum bx_ask got = read_line(interrupt_fd, prompt, &line);
        if (got != BX_ASK_ANSWERED)
            return got;
        *any |= line.said.n > 0;
        if (n && read_numbers(line.said, n, chosen, &count)) {
            if (count > 1 && !multi) {
                bx_show_note(s, BX_TONE_AMBER, "  one number, please");
                continue;
            }
            write_labels(w, options, chosen);
        } else {
            bx_jw_obj(w);
            bx_jw_kstrn(w, "text", line.said);
            bx_jw_end(w);
        }
        return got;
    }
}

static enum bx_ask ask_questions(struct bx_show *s, const struct bx_val *questions,
                                 int interrupt_fd, struct bx_spoken *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    enum bx_ask got = BX_ASK_ANSWERED;
    bool any = false;
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_arr(&w);
    bx_val_foreach_item (questions, question)
        if (got == BX_ASK_ANSWERED)
            got = ask_one(s, question, interrupt_fd, &w, &any);
    bx_jw_end(&w);
    ret->choice = any ? BX_CHOICE_ANSWER : BX_CHOICE_NO;
    if (got == BX_ASK_ANSWERED && any)
        (void)bx_doc_parse(bx_buf_str(&text), NULL, &ret->answers, NULL);
    return got;
}

enum bx_ask bx_ask_terminal(struct bx_show *s, const struct bx_val *event, int interrupt_fd,
                            struct bx_spoken *ret) {
    const struct bx_val *questions = bx_val_get(event, "questions");
    const char *plan = bx_val_get_z(event, "plan");
    *ret = (struct bx_spoken){0};
    if (questions)
        return ask_questions(s, questions, interrupt_fd, ret);
    if (plan)
        bx_show_note(s, BX_TONE_PLAIN, "%s", plan);
    bx_show_note(s, BX_TONE_AMBER, "? " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    return ask_menu(event, interrupt_fd, ret);
}
