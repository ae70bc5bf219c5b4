// Texts that are run: the call's own, scripts, eval, traps; and the end of a shell.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

static void say_syntax(struct sh *sh, const struct sh_parser *p) {
    const char *what = sh->source_depth > 1 ? "eval: " : sh->is_command_string ? "-c: " : "";
    int line = sh->source_depth > 1 ? sh->line + p->error_line - 1 : p->error_line;
    sh_complain(sh, "%s: %sline %d: %s", sh->name, what, line, p->error);
    if (strncmp(p->error, "syntax error near", 17) == 0) {
        size_t start = p->at;
        while (start && p->text[start - 1] != '\n') {
            start--;
        }
        sh_complain(sh, "%s: %sline %d: `%.*s'", sh->name, what, line,
                    (int)strcspn(p->text + start, "\n"), p->text + start);
    }
}

void sh_run_text(struct sh *sh, const char *text, size_t len, int line) {
    if (sh->source_depth > 60) {
        sh_say(sh, "eval and source are nested too deeply");
        sh->status = 1;
        return;
    }
    struct sh_program *program = bx_alloc(sizeof *program), *before = sh->program;
    *program = (struct sh_program){.refs = 1, .text = bx_strndup(text, len)};
    struct sh_parser parser;
    sh_parser_init(&parser, &program->arena, program->text, len, line);
    sh->program = program;
    sh->source_depth++;
    while (!sh->flow) {
        struct sh_node *node;
        if (!sh_parse_line(&parser, &node)) {
            say_syntax(sh, &parser);
            sh->status = 2;
            break;
        }
        if (!node) {
            break;
        }
        sh_exec(sh, node);
    }
    sh->source_depth--;
    sh->program = before;
    sh_program_unref(program);
}

void sh_run_trap(struct sh *sh, enum sh_trap trap) {
    char *text = sh->traps[trap];
    if (!text || !text[0] || sh->is_in_trap) {
        return;
    }
    int status = sh->status, count = sh->flow_count;
    enum sh_flow flow = sh->flow;
    bool was_erred = sh->is_erred;
    if (trap == SH_TRAP_EXIT) {
        sh->traps[trap] = NULL;
        sh->function_depth = 0;
    }
    text = bx_strndup(text, strlen(text));
    sh->flow = SH_GO;
    sh->is_in_trap = true;
    sh_run_text(sh, text, strlen(text), sh->line);
    sh->is_in_trap = false;
    free(text);
    if (sh->flow != SH_EXIT) {
        sh->status = status;
        sh->flow = flow;
    }
    sh->flow_count = count;
    sh->is_erred = was_erred;
}

int sh_exit_shell(struct sh *sh) {
    sh->flow = SH_GO;
    sh_run_trap(sh, SH_TRAP_EXIT);
    sh_drop_temps(sh, 0);
    if (sh->is_root || !sh->n_jobs) { // a job may read on
        sh_end_feeders();
    }
    return sh->status & 255;
}
