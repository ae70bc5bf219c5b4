#include "model/constrained.h"

#include "base/id.h"
#include "base/utf8.h"
#include "json/write.h"

#define MAX_TOOLS 5
#define MAX_FILES 48
#define RESULT_BYTES                                                                               \
    (5 * BX_KIB) /* of a tool's result that the answer is made from: the window is small */

/* What the prompt says about the tools that every workspace has; for others their own words are
 * used. In the order in which they are shown: the last example weighs most. for_named: fits a
 * question that names a file. */
static const struct known_tool {
    const char *name, *says;
    bool for_named;
    const char *words[6]; /* else it fits a question with one of these */
    struct {
        const char *question, *arguments;
    } examples[2];
} known_tools[] = {
    {"grep",
     "search a word in all files",
     false,
     {"search", "find", "grep", "contain", "contains", "lines"},
     {{"Search for the word deprecated.", "{\"pattern\":\"deprecated\"}"},
      {"Find the lines that contain parser.", "{\"pattern\":\"parser\"}"}}},
    {"glob",
     "list the names of files",
     false,
     {"files", "folder", "directory", "folders"},
     {{"Which files do we have?", "{\"pattern\":\"*\"}"}}},
    {"write",
     "save text to a file",
     true,
     {0},
     {{"Write the text bye to the file end.txt.",
       "{\"file_path\":\"/end.txt\",\"content\":\"bye\"}"},
      {"Create a file age.txt with the content 31.",
       "{\"file_path\":\"/age.txt\",\"content\":\"31\"}"}}},
    {"read",
     "read one file",
     true,
     {0},
     {{"What does plan.txt say?", "{\"file_path\":\"/plan.txt\"}"},
      {"What is the price in the file offer.md?", "{\"file_path\":\"/offer.md\"}"}}},
};

static const struct known_tool *known(const char *name) {
    for (size_t i = 0; i < BX_ARRAY_LEN(known_tools); i++) {
        if (strcmp(known_tools[i].name, name) == 0) {
            return &known_tools[i];
        }
    }
    return NULL;
}

/* ---- what the request holds ---- */

struct facts {
    const struct bx_tool_spec *tools[MAX_TOOLS + 4];
    size_t tool_count;
    char *files[MAX_FILES]; /* names that read may be given */
    size_t file_count;
    bool names_file;               /* the question does: then files are only those */
    bool sure;                     /* a tool is needed: "none" is no choice */
    struct bx_buf question;        /* text of the last user message */
    size_t question_at;            /* its index among the messages */
    const struct bx_block *result; /* the last tool result behind it, or NULL */
};

static void add_file(struct facts *f, struct bx_str name) {
    name = bx_str_trim(name);
    if (name.n == 0 || name.n > 200 || f->file_count == MAX_FILES) {
        return;
    }
    bool rooted = name.p[0] == '/';
    for (size_t i = 0; i < f->file_count; i++) {
        if (bx_str_eqz(name, f->files[i] + (rooted ? 0 : 1))) {
            return;
        }
    }
    f->files[f->file_count++] = bx_asprintf("%s" BX_STR_FMT, rooted ? "" : "/", BX_STR_ARG(name));
}

static bool is_path_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c & 0x80) || strchr("._-/+", c);
}

/* Words of the question that look like files: a dot or a slash inside. */
static void files_of_question(struct facts *f) {
    struct bx_str s = bx_buf_str(&f->question);
    for (size_t at = 0; at < s.n;) {
        size_t end = at;
        while (end < s.n && s.p[end] && is_path_char(s.p[end])) {
            end++;
        }
        struct bx_str word = bx_str_slice(s, at, end - at);
        while (word.n > 0 && (word.p[word.n - 1] == '.' || word.p[word.n - 1] == '-')) {
            word.n--; // the end of a sentence
        }
        size_t dot = bx_str_find(word, '.'), slash = bx_str_find(word, '/');
        bool named = (dot != (size_t)-1 && dot > 0 && dot + 1 < word.n) ||
                     (slash != (size_t)-1 && word.n > 1);
        if (named && bx_str_find_str(word, BX_STR_LIT("//")) == (size_t)-1) {
            add_file(f, word);
        }
        at = end + 1;
    }
}

/* The agent's listing in the system prompt: a line "Files: /a, /b and 3 more". */
static void files_of_system(struct facts *f, struct bx_str system) {
    struct bx_str rest = system, line, name;
    while (bx_str_split(&rest, '\n', &line)) {
        if (!bx_str_starts(line, "Files: ")) {
            continue;
        }
        struct bx_str names = bx_str_slice(line, 7, line.n);
        while (bx_str_split(&names, ',', &name)) {
            size_t more = bx_str_find_str(name, BX_STR_LIT(" and "));
            bool tail = more != (size_t)-1 && bx_str_ends(name, " more");
            add_file(f, tail ? bx_str_slice(name, 0, more) : name);
        }
    }
}

/* Is the word in the text, as a word of its own, whatever its case? */
static bool has_word(struct bx_str text, const char *word) {
    size_t n = strlen(word);
    for (size_t at = 0; at + n <= text.n; at++) {
        bool starts = at == 0 || !is_path_char(text.p[at - 1]);
        bool ends = at + n == text.n || !is_path_char(text.p[at + n]) || text.p[at + n] == '.';
        if (starts && ends && bx_str_ieqz(bx_str_slice(text, at, n), word)) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct facts *f, const struct bx_tool_spec *t) {
    const struct known_tool *k = known(t->name);
    struct bx_str question = bx_buf_str(&f->question);
    if (f->names_file || !k) {
        return k ? k->for_named : has_word(question, t->name);
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(k->words) && k->words[i]; i++) {
        if (has_word(question, k->words[i])) {
            return true;
        }
    }
    return false;
}

/* A model this small takes whatever it is shown, so it is shown only what the question's words
 * speak for. */
static void pick_tools(struct facts *f, const struct bx_model_request *req) {
    for (size_t i = 0; i < req->tool_count && f->tool_count < MAX_TOOLS; i++) {
        if (!known(req->tools[i].name) && fits(f, &req->tools[i])) {
            f->tools[f->tool_count++] = &req->tools[i];
        }
    }
    for (size_t k = 0; k < BX_ARRAY_LEN(known_tools); k++) {
        for (size_t i = 0; i < req->tool_count && f->tool_count < BX_ARRAY_LEN(f->tools); i++) {
            if (strcmp(req->tools[i].name, known_tools[k].name) == 0 && fits(f, &req->tools[i])) {
                f->tools[f->tool_count++] = &req->tools[i];
            }
        }
    }
}

static void facts_init(struct facts *f, const struct bx_model_request *req) {
    *f = (struct facts){.question = BX_BUF_INIT(BX_MIB)};
    for (size_t i = req->message_count; i > 0; i--) {
        const struct bx_message *m = req->messages[i - 1];
        for (size_t k = m->blocks.n; k > 0; k--) {
            const struct bx_block *b = &m->blocks.p[k - 1];
            if (b->kind == BX_BLOCK_RESULT && !f->result) {
                f->result = b;
            }
        }
        if (m->role == BX_ROLE_USER) {
            for (size_t k = 0; k < m->blocks.n; k++) {
                if (m->blocks.p[k].kind == BX_BLOCK_TEXT && m->blocks.p[k].text) {
                    bx_buf_addz(&f->question, f->question.size ? "\n" : "");
                    bx_buf_addz(&f->question, m->blocks.p[k].text);
                }
            }
            f->question_at = i - 1;
            break;
        }
    }
    files_of_question(f);
    f->names_file = f->file_count > 0;
    if (!f->names_file) {
        files_of_system(f, bx_str(req->system));
    }
    if (!req->no_tools) {
        pick_tools(f, req);
    }
    f->sure = f->names_file;
    for (size_t i = 0; i < f->tool_count; i++) {
        f->sure = f->sure || strcmp(f->tools[i]->name, "glob") == 0;
    }
}

static void facts_deinit(struct facts *f) {
    for (size_t i = 0; i < f->file_count; i++) {
        bx_free(f->files[i]);
    }
    bx_buf_deinit(&f->question);
}

/* ---- step one: which tool ---- */

static bool is_required(const struct bx_val *schema, struct bx_str name) {
    bx_val_foreach_item (bx_val_get(schema, "required"), v) {
        if (bx_str_eq(bx_val_str(v), name)) {
            return true;
        }
    }
    return false;
}

static void write_member(struct bx_jw *w, const struct facts *f, const char *tool,
                         struct bx_str name, const struct bx_val *schema) {
    bx_jw_keys(w, name);
    bool limited = strcmp(tool, "read") == 0 || (strcmp(tool, "write") == 0 && f->names_file);
    if (limited && bx_str_eqz(name, "file_path") && f->file_count > 0) {
        bx_jw_obj(w);
        bx_jw_karr(w, "enum");
        for (size_t i = 0; i < f->file_count; i++) {
            bx_jw_z(w, f->files[i]);
        }
        bx_jw_end(w);
        bx_jw_end(w);
        return;
    }
    bx_jw_val(w, schema);
}

/* Only the members that must be there: each choice less is a mistake less. */
static void write_arguments(struct bx_jw *w, const struct facts *f, const struct bx_tool_spec *t) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_doc_parse(bx_str(t->schema), NULL, &doc, NULL);
    const struct bx_val *schema = doc ? bx_doc_root(doc) : NULL;
    bx_jw_kobj(w, "arguments");
    bx_jw_kstr(w, "type", "object");
    bx_jw_kobj(w, "properties");
    bx_val_foreach_member (bx_val_get(schema, "properties"), name, v) {
        if (is_required(schema, name)) {
            write_member(w, f, t->name, name, v);
        }
    }
    bx_jw_end(w);
    bx_jw_key(w, "required");
    if (bx_val_get(schema, "required")) {
        bx_jw_val(w, bx_val_get(schema, "required"));
    } else {
        bx_jw_arr(w);
        bx_jw_end(w);
    }
    bx_jw_kbool(w, "additionalProperties", false);
    bx_jw_end(w);
}

static void write_choice(struct bx_jw *w, const struct facts *f, const struct bx_tool_spec *t) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "type", "object");
    bx_jw_kobj(w, "properties");
    bx_jw_kobj(w, "tool");
    bx_jw_kstr(w, "const", t ? t->name : "none");
    bx_jw_end(w);
    if (t) {
        write_arguments(w, f, t);
    }
    bx_jw_end(w);
    bx_jw_karr(w, "required");
    bx_jw_z(w, "tool");
    if (t) {
        bx_jw_z(w, "arguments");
    }
    bx_jw_end(w);
    bx_jw_kbool(w, "additionalProperties", false);
    bx_jw_end(w);
}

static char *schema_of(const struct facts *f) {
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "anyOf");
    for (size_t i = 0; i < f->tool_count; i++) {
        write_choice(&w, f, f->tools[i]);
    }
    if (!f->sure) {
        write_choice(&w, f, NULL);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

char *bx_constrained_schema(const struct bx_model_request *req) {
    struct facts f;
    facts_init(&f, req);
    char *schema = schema_of(&f);
    facts_deinit(&f);
    return schema;
}

struct talk {
    BX_VEC(struct bx_message *) all;
};

static void say(struct talk *to, enum bx_role role, const char *text) {
    struct bx_message *m = bx_message_new(role);
    bx_message_add_text(m, text);
    bx_vec_push(&to->all, m);
}

static void show(struct talk *messages, const char *question, const char *tool,
                 const char *arguments) {
    bx_auto(bx_freep) char *call =
        bx_asprintf("{\"tool\":\"%s\",\"arguments\":%s}", tool, arguments);
    say(messages, BX_ROLE_USER, question);
    say(messages, BX_ROLE_ASSISTANT, call);
}

static void choice_prompt(const struct facts *f, struct bx_buf *system, struct talk *messages) {
    bx_buf_addz(system, "Choose the tool for the last message. Answer with one JSON object.\n");
    if (!f->sure) {
        bx_buf_addz(system, "none: no tool is needed\n");
        say(messages, BX_ROLE_USER, "Hello!");
        say(messages, BX_ROLE_ASSISTANT, "{\"tool\":\"none\"}");
    }
    for (size_t i = 0; i < f->tool_count; i++) {
        const struct bx_tool_spec *t = f->tools[i];
        const struct known_tool *k = known(t->name);
        struct bx_str says = bx_str(k ? k->says : t->description);
        says = bx_str_slice(says, 0, bx_utf8_cut(says, BX_MIN(says.n, 120)));
        bx_buf_addf(system, "%s: " BX_STR_FMT "\n", t->name, BX_STR_ARG(says));
        for (size_t n = 0; k && n < BX_ARRAY_LEN(k->examples) && k->examples[n].question; n++) {
            show(messages, k->examples[n].question, t->name, k->examples[n].arguments);
        }
        if (!k) {
            bx_auto(bx_freep) char *question = bx_asprintf("Use the tool %s.", t->name);
            show(messages, question, t->name, t->example ? t->example : "{}");
        }
    }
    if (f->file_count > 0 && !f->names_file) {
        bx_buf_addz(system, "Files:");
        for (size_t i = 0; i < f->file_count; i++) {
            bx_buf_addf(system, "%s %s", i ? "," : "", f->files[i]);
        }
        bx_buf_addc(system, '\n');
    }
    say(messages, BX_ROLE_USER, bx_buf_z(&f->question));
}

static int ask_plain(const struct bx_wire *w, const char *system, const struct talk *messages,
                     int64_t max_tokens, bx_model_on_event *on_event, void *user,
                     struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    struct bx_model_request req = {.system = system,
                                   .messages = (const struct bx_message *const *)messages->all.p,
                                   .message_count = messages->all.n,
                                   .max_output_tokens = max_tokens};
    return bx_wire_ask(w, &req, on_event, user, cancel, ret, err);
}

static void talk_deinit(struct talk *messages) {
    for (size_t i = 0; i < messages->all.n; i++) {
        bx_message_free(messages->all.p[i]);
    }
    bx_vec_free(&messages->all);
}

/* The choice as a call block of *ret, or no block when it is "none" (or not to be understood). */
static void read_choice(const char *text, struct bx_message *m) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(bx_str(text), NULL, &doc, NULL) < 0) {
        return;
    }
    const char *tool = bx_val_get_z(bx_doc_root(doc), "tool");
    const struct bx_val *arguments = bx_val_get(bx_doc_root(doc), "arguments");
    if (!tool || strcmp(tool, "none") == 0) {
        return;
    }
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    if (arguments) {
        bx_jw_val(&w, arguments);
    } else {
        bx_buf_addz(&out, "{}");
    }
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    struct bx_block *b = bx_message_add(m, BX_BLOCK_CALL);
    b->id = bx_asprintf("call_%s", id);
    b->tool = bx_strdup(tool);
    b->arguments = bx_buf_steal(&out);
}

struct relay {
    bx_model_on_event *on_event;
    void *user;
};

/* The JSON of step one is nothing to show; that it is tried again is. */
static void retries_only(void *user, const struct bx_model_event *ev) {
    struct relay *r = user;
    if (r->on_event && ev->kind == BX_EV_RETRY) {
        r->on_event(r->user, ev);
    }
}

static void tell_call(bx_model_on_event *on_event, void *user, const struct bx_block *call) {
    if (on_event) {
        on_event(user, &(struct bx_model_event){.kind = BX_EV_CALL, .tool = call->tool});
        on_event(user, &(struct bx_model_event){.kind = BX_EV_ARGUMENTS,
                                                .tool = call->tool,
                                                .text = bx_str(call->arguments)});
    }
}

static int choose(const struct bx_wire *w, const struct facts *f, bx_model_on_event *on_event,
                  void *user, struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    bx_auto(bx_freep) char *schema = schema_of(f);
    struct bx_buf system = BX_BUF_INIT(BX_MIB);
    struct talk messages = {0};
    struct relay relay = {on_event, user};
    struct bx_wire bound = *w;
    bound.options.schema = schema;
    choice_prompt(f, &system, &messages);
    struct bx_reply reply = {0};
    int r = ask_plain(&bound, bx_buf_z(&system), &messages, 300, retries_only, &relay, cancel,
                      &reply, err);
    if (r == 0) {
        ret->message = bx_message_new(BX_ROLE_ASSISTANT);
        ret->usage = reply.usage;
        ret->finish = BX_FINISH_CALLS;
        for (size_t i = 0; i < reply.message->blocks.n; i++) {
            if (reply.message->blocks.p[i].kind == BX_BLOCK_TEXT) {
                read_choice(reply.message->blocks.p[i].text, ret->message);
            }
        }
    }
    bx_reply_deinit(&reply);
    talk_deinit(&messages);
    bx_buf_deinit(&system);
    return r;
}

/* ---- step two: the answer ---- */

/* "     1\ttext" is how read shows a line; the numbers only confuse. */
static struct bx_str without_number(struct bx_str line) {
    size_t at = 0;
    while (at < line.n && line.p[at] == ' ') {
        at++;
    }
    size_t digits = at;
    while (digits < line.n && line.p[digits] >= '0' && line.p[digits] <= '9') {
        digits++;
    }
    return digits > at && digits < line.n && line.p[digits] == '\t'
               ? bx_str_slice(line, digits + 1, line.n)
               : line;
}

static void add_result(struct bx_buf *out, struct bx_str text) {
    struct bx_str rest = text, line;
    size_t start = out->size;
    while (bx_str_split(&rest, '\n', &line)) {
        line = without_number(line);
        if (out->size - start + line.n > RESULT_BYTES) {
            line = bx_str_slice(
                line, 0, bx_utf8_cut(line, RESULT_BYTES - BX_MIN(RESULT_BYTES, out->size - start)));
            bx_buf_adds(out, line);
            bx_buf_addz(out, " …\n");
            return;
        }
        bx_buf_adds(out, line);
        bx_buf_addc(out, '\n');
    }
}

static void answer_prompt(const struct facts *f, const struct bx_model_request *req,
                          struct bx_buf *system, struct talk *messages) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    if (f->result) {
        bx_buf_addz(system, "Answer the question with what the text says. Be short.");
        bx_buf_addz(&text, f->result->is_error ? "This went wrong:\n" : "Text:\n");
        add_result(&text, bx_str(f->result->text));
        bx_buf_addf(&text, "\nQuestion: %s", bx_buf_z(&f->question));
    } else {
        bx_buf_addz(system, "You are a helpful assistant. Answer in one or two short sentences.");
        size_t from = f->question_at > 4 ? f->question_at - 4
                                         : 0; // the last words, for the thread of the talk
        for (size_t i = from; i < f->question_at; i++) {
            const struct bx_message *m = req->messages[i];
            for (size_t k = 0; k < m->blocks.n; k++) {
                if (m->blocks.p[k].kind == BX_BLOCK_TEXT && m->role != BX_ROLE_TOOL &&
                    strlen(m->blocks.p[k].text) < 1000) {
                    say(messages, m->role, m->blocks.p[k].text);
                }
            }
        }
        bx_buf_addz(&text, bx_buf_z(&f->question));
    }
    say(messages, BX_ROLE_USER, bx_buf_z(&text));
    bx_buf_deinit(&text);
}

static int answer(const struct bx_wire *w, const struct facts *f,
                  const struct bx_model_request *req, bx_model_on_event *on_event, void *user,
                  struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    struct bx_buf system = BX_BUF_INIT(BX_MIB);
    struct talk messages = {0};
    answer_prompt(f, req, &system, &messages);
    int r = ask_plain(w, bx_buf_z(&system), &messages, req->max_output_tokens, on_event, user,
                      cancel, ret, err);
    talk_deinit(&messages);
    bx_buf_deinit(&system);
    return r;
}

int bx_constrained_ask(const struct bx_wire *w, const struct bx_model_request *req,
                       bx_model_on_event *on_event, void *user, struct bx_cancel *cancel,
                       struct bx_reply *ret, struct bx_err *err) {
    struct facts f;
    struct bx_reply chosen = {0}, answered = {0};
    facts_init(&f, req);
    int r = f.tool_count > 0 && !f.result ? choose(w, &f, on_event, user, cancel, &chosen, err) : 0;
    if (r == 0 && chosen.message && chosen.message->blocks.n > 0) {
        tell_call(on_event, user, &chosen.message->blocks.p[0]);
        *ret = chosen;
        facts_deinit(&f);
        return 0;
    }
    if (r == 0) {
        r = answer(w, &f, req, on_event, user, cancel, &answered, err);
    }
    if (r == 0) {
        if (chosen.message) {
            answered.usage.first_token_ms += chosen.usage.ms;
            bx_usage_add(&answered.usage, &chosen.usage);
        }
        *ret = answered;
    }
    bx_reply_deinit(&chosen);
    facts_deinit(&f);
    return r;
}
