#include "cli/commands.h"

#define WHERE "workspace-dir root mount"

const struct bx_option bx_options[] = {
    {"workspace-dir", "DIR", "a workspace: DIR/root for the tools, DIR/.boxagnts for the state"},
    {"root", "DIR", "the folder that tools see as /"},
    {"mount", "HOST:GUEST[:ro]", "a further folder for the tools (may be given again)"},
    {"port", "N", "port of the server (30001)"},
    {"host", "ADDR", "address of the server (127.0.0.1); only loopback addresses are served"},
    {"open", NULL, "open the page in the browser"},
    {"offline", NULL, "no network: embedded models and endpoints of this machine only"},
    {"require-second-wall", NULL, "refuse to start where Landlock or seccomp is missing"},
    {"model", "P/M", "the model: provider/name, a name, or a .gguf file"},
    {"mode", "MODE", "plan, default, accept-edits, auto or bypass"},
    {"max-turns", "N", "requests to the model before the run ends (50)"},
    {"session", "ID", "go on with this session"},
    {"yes", "LEVEL", "allow write, execute or dangerous without asking (may be given again)"},
    {"json", NULL, "print JSON: events one a line, or one object"},
    {"ro", NULL, "the root is read-only whatever the tool's level"},
    {"input", "JSON", "the tool's input; - reads standard input"},
    {"limit", "NAME=VALUE",
     "a limit of the call, e.g. time=60s, memory=64MiB (may be given again)"},
    {"out", "FILE", "write there instead of standard output"},
};
const size_t bx_option_count = BX_ARRAY_LEN(bx_options);

const struct bx_command bx_commands[] = {
    {"serve", "[DIR]", "start the server and its page",
     WHERE " port host open offline require-second-wall", 0, 1, bx_cmd_serve},
    {"run", "[DIR] [PROMPT]", "one message to the agent; the prompt may come on standard input",
     WHERE " model mode max-turns session yes json offline require-second-wall", 0, 2, bx_cmd_run},
    {"tool list", "", "the tools there are", WHERE " json", 0, 0, bx_cmd_tool_list},
    {"tool describe", "NAME", "a tool's input, level and limits, each with its origin",
     WHERE " json", 1, 1, bx_cmd_tool_describe},
    {"tool run", "NAME|FILE.wasm", "run one tool, the same path as an agent's call",
     WHERE " ro input limit json require-second-wall", 1, 1, bx_cmd_tool_run},
    {"session list", "", "sessions, newest first", WHERE " json", 0, 0, bx_cmd_session_list},
    {"session show", "ID", "a session as text", WHERE " json", 1, 1, bx_cmd_session_show},
    {"session export", "ID", "a session as one JSON document", WHERE " out", 1, 1,
     bx_cmd_session_export},
    {"session rm", "ID", "move a session to the trash", WHERE, 1, 1, bx_cmd_session_rm},
    {"model list", "", "the models there are", WHERE " json offline", 0, 0, bx_cmd_model_list},
    {"model pull", "smollm2|FILE.gguf", "put weights into the models folder", "", 1, 1,
     bx_cmd_model_pull},
    {"model rm", "NAME", "delete weights from the models folder", "", 1, 1, bx_cmd_model_rm},
    {"doctor", "", "try what the product needs on this machine, and say what is missing",
     WHERE " port json", 0, 0, bx_cmd_doctor},
    {"config get", "[NAME]", "the settings, or one of them", WHERE, 0, 1, bx_cmd_config_get},
    {"config set", "NAME VALUE", "change a setting; VALUE is JSON or plain text", WHERE, 2, 2,
     bx_cmd_config_set},
    {"config path", "", "where the settings are", WHERE, 0, 0, bx_cmd_config_path},
    {"completion", "bash|zsh|fish", "completion for a shell", "", 1, 1, bx_cmd_completion},
    {"licences", "", "our licence and those of everything inside", "", 0, 0, bx_cmd_licences},
    {"version", "", "the version", "", 0, 0, bx_cmd_version},
};
const size_t bx_command_count = BX_ARRAY_LEN(bx_commands);
