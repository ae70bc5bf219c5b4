/* chat: one session on the terminal, message after message; what begins with a slash is a command.
 */
#include <poll.h>

#include "agent/slash.h"
#include "api/files.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/editor.h"
#include "cli/follow.h"

#define MESSAGE_MAX BX_MIB

enum said { SAID_TEXT, SAID_NOTHING, SAID_TOO_MUCH, SAID_GONE };

struct chat {
    struct bx_cli_context *c;
    struct bx_follow follow;
    struct bx_run_options options;
    struct bx_editor *editor; /* or NULL: plain lines */
    struct bx_buf waiting;    /* read, and not yet a line */
    bool terminal, no_more;
};

/* ---- reading ---- */

/* At the prompt: what was typed is given up. */
static enum said interrupted(struct chat *chat) {
    if (bx_follow_must_end())
        return SAID_GONE;
    bx_follow_forget_interrupt();
    bx_buf_reset(&chat->waiting);
    bx_show_note(&chat->follow.show, BX_TONE_DIM, "Ctrl-D or /exit ends the chat.");
    return SAID_NOTHING;
}

static void add_values(const struct bx_val *rows, const char *member, char sign, struct bx_str word,
                       void (*add)(void *to, struct bx_str text), void *to) {
    bx_val_foreach_item (rows, row) {
        struct bx_str kind = bx_val_get_str(row, "kind");
        bx_auto(bx_freep) char *text = bx_asprintf("%c%s%s", sign, bx_val_get_z(row, member),
                                                   bx_str_eqz(kind, "folder") ? "/" : "");
        if (strncasecmp(text, word.p, word.n) == 0)
            add(to, bx_str(text));
    }
}

/* "/co" is a command, "@src/ma" a file. */
static void complete(void *user, struct bx_str line, struct bx_str word,
                     void (*add)(void *to, struct bx_str text), void *to) {
    struct chat *chat = user;
    bool command = bx_str_starts(line, "/") && word.n == line.n;
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(4 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    if (!command && !bx_str_starts(word, "@"))
        return;
    bx_jw_init(&w, &json);
    bx_jw_obj(&w);
    if (command) {
        bx_jw_karr(&w, "commands");
        bx_slash_list(chat->c->agent, &w);
        bx_jw_end(&w);
    } else {
        bx_files_complete(chat->c->workspace.root, bx_str_slice(word, 1, word.n), 200, &w);
    }
    bx_jw_end(&w);
    if (bx_doc_parse(bx_buf_str(&json), NULL, &doc, NULL) == 0)
        add_values(bx_val_get(bx_doc_root(doc), command ? "commands" : "files"),
                   command ? "name" : "path", command ? '/' : '@', word, add, to);
}

static enum said edit_line(struct chat *chat, bool more, struct bx_buf *out) {
    if (chat->no_more)
        return SAID_GONE;
    switch (bx_editor_read(chat->editor, more ? "… " : "> ", out)) {
    case BX_EDIT_LINE:
        return SAID_TEXT;
    case BX_EDIT_END:
        return SAID_GONE;
    case BX_EDIT_INTERRUPTED:
        break;
    }
    return interrupted(chat);
}

static void prompt(const struct chat *chat, bool more) {
    if (chat->terminal) {
        fputs(more ? "… " : "> ", stderr);
        fflush(stderr);
    }
}

/* The next line without its end, in `out`; Ctrl-C gives up what was typed. */
static enum said read_line(struct chat *chat, bool more, struct bx_buf *out) {
    prompt(chat, more);
    for (;;) {
        size_t end = bx_str_find(bx_buf_str(&chat->waiting), '\n');
        if (end != (size_t)-1 || (chat->no_more && chat->waiting.size)) {
            size_t n = BX_MIN(end, chat->waiting.size);
            bx_buf_adds(out, bx_str_slice(bx_buf_str(&chat->waiting), 0, n));
            bx_buf_consume(&chat->waiting, BX_MIN(n + 1, chat->waiting.size));
            return SAID_TEXT;
        }
        if (chat->no_more)
            return SAID_GONE;
        struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = bx_follow_interrupt_fd(), .events = POLLIN}};
        if (poll(p, 2, -1) < 0)
            continue; /* a signal: its bell rings */
        if (p[1].revents)
            return interrupted(chat);
        char piece[16384];
        ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            chat->no_more = true;
        else if (n > 0 && bx_buf_add(&chat->waiting, piece, (size_t)n))
            return bx_buf_reset(&chat->waiting), SAID_TOO_MUCH;
    }
}

/* A message: a line, or several where each but the last ends with a backslash. */
static enum said read_message(struct chat *chat, struct bx_buf *out) {
    for (bool more = false;; more = true) {
        bool edits =
            chat->editor && !chat->waiting.size; /* a part was typed while a run was at work */
        enum said said = edits ? edit_line(chat, more, out) : read_line(chat, more, out);
        if (said == SAID_GONE && out->size)
            return SAID_TEXT;
        if (said != SAID_TEXT)
            return said;
        if (!bx_str_ends(bx_buf_str(out), "\\"))
            return SAID_TEXT;
        bx_buf_cut(out, out->size - 1);
        bx_buf_addc(out, '\n');
    }
}

/* ---- doing ---- */

static int open_session(struct chat *chat, const char *id, struct bx_err *err) {
    struct bx_session *session = NULL;
    int r;
    if (id) {
        r = bx_session_open(chat->c->store, id, &session, err);
    } else {
        struct bx_session_header h = {
            .title = "",
            .model = chat->options.model ? chat->options.model : "",
            .mode = chat->options.mode ? chat->options.mode : "default",
            .root = chat->c->workspace.root,
            .kind = "chat",
        };
        r = bx_session_create(chat->c->store, &h, &session, err);
    }
    if (r == 0)
        bx_follow_session(&chat->follow, session);
    return r;
}

static int doctor(void *user, struct bx_buf *out, struct bx_err *err) {
    struct chat *chat = user;
    return bx_doctor_markdown(chat->c, out, err);
}

static const char *session_id(const struct chat *chat) {
    return bx_session_header(chat->follow.session)->id;
}

/* The run of the session that is left, if there is one, goes on. */
static int go_to(struct chat *chat, const char *id, struct bx_err *err) {
    if (strcmp(id, session_id(chat)) && bx_agent_is_running(chat->c->agent, session_id(chat)))
        bx_show_note(&chat->follow.show, BX_TONE_DIM,
                     "The run goes on. /resume %s goes back to it.", session_id(chat));
    chat->follow.left = true;
    return open_session(chat, id, err);
}

static int do_command(struct chat *chat, struct bx_str text, bool *ret_runs, struct bx_err *err) {
    struct bx_slash_env env = {.options = &chat->options, .doctor = doctor, .user = chat};
    struct bx_slash_result result = {0};
    int r = bx_agent_slash(chat->c->agent, chat->follow.session, text, &env, &result, err);
    if (r == 0 && result.text)
        bx_show_text(&chat->follow.show, bx_str(result.text));
    if (r == 0 && result.kind == BX_SLASH_SESSION)
        r = go_to(chat, result.id, err);
    *ret_runs = r == 0 && result.kind == BX_SLASH_RUN;
    bx_slash_result_deinit(&result);
    return r;
}

static int do_message(struct chat *chat, struct bx_str text, bool *ret_runs, struct bx_err *err) {
    bx_auto(bx_freep) char *message = bx_str_dup(bx_slash_message(text));
    struct bx_said said;
    int r = bx_agent_say(chat->c->agent, chat->follow.session, message, &chat->options, &said, err);
    *ret_runs = r == 0 && *said.run;
    return r;
}

static int do_text(struct chat *chat, struct bx_str text, bool *ret_runs, struct bx_err *err) {
    *ret_runs = false;
    return bx_slash_is(text) ? do_command(chat, text, ret_runs, err)
                             : do_message(chat, text, ret_runs, err);
}

/* What would only be sent in part is not sent at all. */
static int check_message(enum said said, const struct bx_buf *message, struct bx_err *err) {
    if (said == SAID_TOO_MUCH || bx_buf_failed(message))
        return bx_fail(err, BX_ERR_LIMIT,
                       "a message has at most %zu MiB, and nothing of this one was sent: put it "
                       "into a file of the root and name that with @",
                       MESSAGE_MAX / BX_MIB);
    if (bx_str_find(bx_buf_str(message), '\0') != (size_t)-1)
        return bx_fail(err, BX_ERR_INVALID,
                       "this message holds a NUL byte, so it is no text: nothing of it was sent");
    return 0;
}

static bool is_exit(struct bx_str text) {
    return bx_str_eqz(text, "/exit") || bx_str_eqz(text, "/quit");
}

/* ---- while a run is at work ---- */

static bool take_message(struct chat *chat, struct bx_buf *out) {
    struct bx_str rest = bx_buf_str(&chat->waiting), line;
    while (bx_str_find(rest, '\n') != (size_t)-1 && bx_str_split(&rest, '\n', &line)) {
        bool more = bx_str_ends(line, "\\");
        bx_buf_adds(out, bx_str_slice(line, 0, line.n - more));
        if (!more) {
            bx_buf_consume(&chat->waiting, chat->waiting.size - rest.n);
            return true;
        }
        bx_buf_addc(out, '\n');
    }
    return false;
}

static void say_now(struct chat *chat, struct bx_str text) {
    struct bx_err err = {0};
    bool runs;
    if (!text.n)
        return;
    if (is_exit(text)) {
        chat->no_more = true;
        bx_show_note(&chat->follow.show, BX_TONE_DIM,
                     "The chat ends with this run. Ctrl-C stops it.");
    } else if (do_text(chat, text, &runs, &err) < 0) {
        bx_show_note(&chat->follow.show, BX_TONE_RED, "%s", err.msg);
    }
}

/* Whole lines: between two of the editor's reads the terminal is as it was. */
static bool typed(void *user) {
    struct chat *chat = user;
    char piece[16384];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0 || bx_buf_add(&chat->waiting, piece, (size_t)n))
        chat->no_more = true;
    while (!chat->no_more) {
        bx_auto(bx_buf_deinit) struct bx_buf message = BX_BUF_INIT(MESSAGE_MAX);
        if (!take_message(chat, &message))
            break;
        say_now(chat, bx_str_trim(bx_buf_str(&message)));
    }
    return !chat->no_more;
}

/* What goes on in the session: the run of it, and that which begins with what waited. */
static int attend(struct chat *chat, bool runs, struct bx_err *err) {
    int r = 0;
    bool attended = false;
    while (r == 0 && (runs || bx_agent_goes_on(chat->c->agent, session_id(chat)))) {
        r = bx_follow_run(&chat->follow, err);
        runs = false;
        attended = true;
    }
    bx_auto(bx_freep) char *queued = bx_session_queued(chat->follow.session);
    if (chat->terminal && attended && strcmp(queued, "[]"))
        bx_show_note(&chat->follow.show, BX_TONE_DIM,
                     "What waits goes out before your next message. /queue shows it.");
    return r;
}

/* What goes wrong with one message is said, and the next may be typed; read from a pipe it ends the
 * chat. */
static int talk(struct chat *chat, struct bx_err *err) {
    for (;;) {
        bx_auto(bx_buf_deinit) struct bx_buf message = BX_BUF_INIT(MESSAGE_MAX);
        enum said said = read_message(chat, &message);
        struct bx_str text = bx_str_trim(bx_buf_str(&message));
        if (said == SAID_GONE || is_exit(text) || bx_follow_must_end())
            return 0;
        int r = check_message(said, &message, err);
        if (r == 0 && !text.n)
            continue;
        bool runs = false;
        if (r == 0)
            r = do_text(chat, text, &runs, err);
        if (r == 0)
            r = attend(chat, runs, err);
        if (r < 0 && !chat->terminal)
            return r;
        if (r < 0)
            bx_show_note(&chat->follow.show, BX_TONE_RED, "%s", err->msg);
    }
}

static int chat_with(struct chat *chat, const struct bx_args *args, struct bx_err *err) {
    int r = bx_agent_recover(chat->c->agent, false, err);
    if (r == 0)
        r = open_session(chat, bx_args_get(args, "session"), err);
    if (r < 0)
        return r;
    chat->follow.code = BX_EXIT_OK;
    if (!bx_follow_learn_mcp(&chat->follow))
        return 0;
    if (chat->terminal)
        bx_show_note(&chat->follow.show, BX_TONE_DIM,
                     "BoxAgnts in %s. /help lists the commands, Ctrl-D ends.",
                     chat->c->workspace.root);
    r = talk(chat, err);
    bx_show_end(&chat->follow.show, bx_session_header(chat->follow.session)->id);
    return r;
}

static void open_editor(struct chat *chat) {
    bx_auto(bx_freep) char *history = bx_path_join(chat->c->workspace.state, "history");
    chat->editor = bx_editor_new(history, bx_follow_interrupt_fd(), complete, chat);
}

int bx_cmd_chat(const struct bx_args *args) {
    struct bx_err err = {0};
    struct chat chat = {.terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
                        .waiting = BX_BUF_INIT(MESSAGE_MAX)};
    struct bx_cli_context c;
    if (bx_cli_run_options(args, &chat.options, &err) < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    bx_auto(bx_freep) const char **hosts = bx_args_all(args, "allow-host");
    if (bx_cli_check_hosts(hosts, &err) < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    chat.options.allow_hosts = hosts;
    chat.options.headless = !chat.terminal;
    int r = bx_cli_context_open(
        args, args->operands.n ? args->operands.p[0] : NULL,
        &(struct bx_context_options){
            .store_mode = BX_STORE_OWNER,
            .models = true,
            .offline = bx_args_has(args, "offline"),
            .require_second_wall = bx_args_has(args, "require-second-wall"),
            .allow_bypass = chat.options.mode && strcmp(chat.options.mode, "bypass") == 0},
        &c, &err);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    chat.c = &c;
    bx_follow_init(&chat.follow, &c, false);
    if (chat.terminal) {
        open_editor(&chat);
        chat.follow.typed = typed;
        chat.follow.user = &chat;
    }
    r = chat_with(&chat, args, &err);
    int code = r < 0           ? bx_cli_fail(BX_EXIT_FAILED, &err)
               : chat.terminal ? BX_EXIT_OK
                               : chat.follow.code;
    bx_editor_free(chat.editor);
    bx_follow_deinit(&chat.follow);
    bx_cli_context_close(&c);
    bx_buf_deinit(&chat.waiting);
    return code;
}
