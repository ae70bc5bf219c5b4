#include "web_fetch/http.h"

#include <strings.h>

const char *bx_http_header(const struct bx_http_answer *answer, const char *name) {
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, name) == 0) {
            return answer->headers[i].value;
        }
    }
    return NULL;
}
