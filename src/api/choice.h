/* api/choice.h: the words for an answer to a question. Pure, any thread. */
#ifndef BX_API_CHOICE_H
#define BX_API_CHOICE_H

#include "agent/agent.h"

static inline bool bx_choice_parse(struct bx_str s, enum bx_choice *ret) {
    static const char *const names[] = {"once", "session", "always", "no"};
    for (unsigned i = 0; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_eqz(s, names[i])) {
            *ret = (enum bx_choice)i;
            return true;
        }
    }
    return false;
}

#endif
