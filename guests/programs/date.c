// date.c - date, and the dates that date -d, touch -d and find -newermt take: always UTC
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "programs/programs.h"
#include "programs/tool.h"

struct parse {
    const char *at;
    struct tm tm;
    long long seconds_more, nanoseconds;
    int zone; // seconds east
    bool has_date, has_time, has_zone, is_epoch;
    long long epoch;
    int weekday, weekday_more; // -1: none
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec",
                  days[] = "sunmontuewedthufrisat";

static int index_of(const char *list, const char *word, size_t n) {
    for (int i = 0; n >= 3 && list[(size_t)i * 3]; i++) {
        if (!strncasecmp(list + (size_t)i * 3, word, 3)) {
            return i;
        }
    }
    return -1;
}

static bool is_name(const char *word, size_t n, const char *name) {
    return strlen(name) == n && !strncasecmp(word, name, n);
}

static bool add_unit(struct parse *p, const char *word, size_t n, long long count) {
    static const struct {
        const char *name;
        long long seconds;
        int months;
    } units[] = {
        {"second", 1, 0},  {"sec", 1, 0},     {"minute", 60, 0},   {"min", 60, 0},
        {"hour", 3600, 0}, {"day", 86400, 0}, {"week", 604800, 0}, {"fortnight", 1209600, 0},
        {"month", 0, 1},   {"year", 0, 12}};
    size_t m = n > 3 && (word[n - 1] == 's' || word[n - 1] == 'S') ? n - 1 : n;
    for (size_t i = 0; i < TOOL_LEN(units); i++) {
        if (is_name(word, m, units[i].name)) {
            const char *ago = p->at + strspn(p->at, " ");
            if (!strncasecmp(ago, "ago", 3) && !isalpha((unsigned char)ago[3])) {
                count = -count;
                p->at = ago + 3;
            }
            if (units[i].seconds == 86400 || units[i].seconds == 604800 ||
                units[i].seconds == 1209600) {
                p->tm.tm_mday += (int)(count * units[i].seconds / 86400);
            } else {
                p->seconds_more += count * units[i].seconds;
            }
            p->tm.tm_mon += (int)(count * units[i].months);
            return true;
        }
    }
    return false;
}

static bool word(struct parse *p) {
    const char *w = p->at;
    size_t n = 0;
    while (isalpha((unsigned char)w[n])) {
        n++;
    }
    p->at += n;
    if (*p->at == '.') {
        p->at++;
    }
    int i;
    if (is_name(w, n, "now") || is_name(w, n, "today")) {
        return true;
    }
    if (is_name(w, n, "midnight")) {
        p->tm.tm_hour = p->tm.tm_min = p->tm.tm_sec = 0;
        return p->has_time = true;
    }
    if (is_name(w, n, "noon")) {
        p->tm.tm_hour = 12;
        p->tm.tm_min = p->tm.tm_sec = 0;
        return p->has_time = true;
    }
    if (is_name(w, n, "yesterday") || is_name(w, n, "tomorrow")) {
        p->tm.tm_mday += *w == 'y' || *w == 'Y' ? -1 : 1;
        return true;
    }
    if (is_name(w, n, "utc") || is_name(w, n, "gmt") || is_name(w, n, "z")) {
        p->zone = 0;
        return p->has_zone = true;
    }
    if ((is_name(w, n, "am") || is_name(w, n, "pm")) && p->has_time) {
        bool is_pm = *w == 'p' || *w == 'P';
        p->tm.tm_hour = p->tm.tm_hour % 12 + (is_pm ? 12 : 0);
        return true;
    }
    if (is_name(w, n, "t") && isdigit((unsigned char)*p->at)) {
        return true;
    }
    if (is_name(w, n, "next") || is_name(w, n, "last") || is_name(w, n, "this")) {
        long long count = *w == 'n' || *w == 'N' ? 1 : *w == 'l' || *w == 'L' ? -1 : 0;
        p->at += strspn(p->at, " ");
        w = p->at;
        for (n = 0; isalpha((unsigned char)w[n]);) {
            n++;
        }
        p->at += n;
        if ((i = index_of(days, w, n)) >= 0) {
            p->weekday = i;
            p->weekday_more = (int)count;
            return true;
        }
        return add_unit(p, w, n, count);
    }
    if ((i = index_of(months, w, n)) >= 0 && !is_name(w, n, "month")) {
        p->tm.tm_mon = i;
        p->has_date = true;
        p->at += strspn(p->at, " -");
        if (isdigit((unsigned char)*p->at)) {
            char *end;
            long day = strtol(p->at, &end, 10);
            if (*end == ':') { // "Jan 2024 12:00" has its day before
                return true;
            }
            if (day > 31) {
                p->tm.tm_year = (int)day - 1900;
            } else {
                p->tm.tm_mday = (int)day;
            }
            p->at = end + strspn(end, ", -");
            if (isdigit((unsigned char)*p->at)) {
                long year = strtol(p->at, &end, 10);
                if (*end != ':' && end - p->at == 4) {
                    p->tm.tm_year = (int)year - 1900;
                    p->at = end;
                }
            }
        }
        return true;
    }
    if ((i = index_of(days, w, n)) >= 0) {
        p->weekday = i;
        return true;
    }
    return add_unit(p, w, n, 1);
}

static bool zone(struct parse *p) { // +02:00, -0500
    char *end;
    int sign = *p->at == '-' ? -1 : 1;
    long n = strtol(p->at + 1, &end, 10);
    size_t digits = (size_t)(end - p->at - 1);
    long minutes = digits > 2 ? n / 100 * 60 + n % 100 : n * 60;
    if (*end == ':') {
        minutes += strtol(end + 1, &end, 10);
    }
    p->zone = sign * (int)minutes * 60;
    p->has_zone = true;
    p->at = end;
    return true;
}

// What stands behind the point of the seconds; its end
static char *read_fraction(struct parse *p, char *at) {
    char digits[10] = "000000000";
    for (int n = 0; isdigit((unsigned char)*at); at++) {
        if (n < 9) {
            digits[n++] = *at;
        }
    }
    p->nanoseconds = atoll(digits);
    return at;
}

static bool clock_time(struct parse *p, long hour, const char *rest) {
    char *end;
    p->tm.tm_hour = (int)hour;
    p->tm.tm_min = (int)strtol(rest + 1, &end, 10);
    p->tm.tm_sec = 0;
    p->has_time = true;
    if (*end == ':') {
        p->tm.tm_sec = (int)strtol(end + 1, &end, 10);
        if (*end == '.' || *end == ',') {
            end = read_fraction(p, end + 1);
        }
    }
    p->at = end;
    bool is_out = p->tm.tm_hour > 24 || p->tm.tm_min > 59 || p->tm.tm_sec > 60;
    if (!is_out && (*end == '+' || *end == '-') && isdigit((unsigned char)end[1])) {
        return zone(p);
    }
    return !is_out;
}

static bool number(struct parse *p) {
    char *end;
    const char *start = p->at;
    bool is_signed = *start == '+' || *start == '-';
    const char *first = start + is_signed + (is_signed ? strspn(start + 1, " ") : 0);
    long long n = strtoll(first, &end, 10);
    size_t digits = (size_t)(end - first);
    n = *start == '-' ? -n : n;
    if (!digits) {
        return false;
    }
    if (!is_signed && *end == ':') {
        return clock_time(p, (long)n, end);
    }
    if (!is_signed && (*end == '-' || *end == '/') && isdigit((unsigned char)end[1])) {
        char slash = *end;
        long long second = strtoll(end + 1, &end, 10), third = -1;
        if (*end == slash) {
            third = strtoll(end + 1, &end, 10);
        }
        bool year_first = digits > 2;
        long long year = year_first ? n : third, month = year_first ? second : n,
                  day = year_first ? third : second;
        if (year >= 0) {
            p->tm.tm_year = (int)(year < 69 ? year + 100 : year < 100 ? year : year - 1900);
        }
        p->tm.tm_mon = (int)month - 1;
        p->tm.tm_mday = day < 0 ? 1 : (int)day;
        p->has_date = true;
        p->at = end;
        return month >= 1 && month <= 12 && day <= 31 && day != 0;
    }
    const char *w = end + strspn(end, " ");
    size_t len = 0;
    while (isalpha((unsigned char)w[len])) {
        len++;
    }
    if (!is_signed && len >= 3 && index_of(months, w, len) >= 0 && !is_name(w, len, "month") &&
        !is_name(w, len, "months")) {
        p->tm.tm_mday = (int)n;
        p->at = w + len;
        p->tm.tm_mon = index_of(months, w, len);
        p->has_date = true;
        p->at += strspn(p->at, " -,");
        if (strspn(p->at, "0123456789") == 4 && p->at[4] != ':') {
            p->tm.tm_year = (int)strtol(p->at, &end, 10) - 1900;
            p->at = end;
        }
        return true;
    }
    if (len && (is_name(w, len, "am") || is_name(w, len, "pm"))) {
        p->tm.tm_hour = (int)n;
        p->tm.tm_min = p->tm.tm_sec = 0;
        p->has_time = true;
        p->at = w;
        return word(p);
    }
    if (len && !is_name(w, len, "t")) {
        p->at = w + len;
        return add_unit(p, w, len, n);
    }
    p->at = end;
    if (digits == 8 && !is_signed) { // 20240131
        p->tm.tm_year = (int)(n / 10000) - 1900;
        p->tm.tm_mon = (int)(n / 100 % 100) - 1;
        p->tm.tm_mday = (int)(n % 100);
        return p->has_date = true;
    }
    if (digits == 4 && !is_signed && p->has_date && p->has_time) {
        p->tm.tm_year = (int)n - 1900;
        return true;
    }
    if (digits <= 2 && !is_signed && p->has_date && !p->has_time) {
        p->tm.tm_hour = (int)n;
        p->tm.tm_min = p->tm.tm_sec = 0;
        return p->has_time = true;
    }
    if (is_signed && p->has_time && (digits == 4 || digits == 2)) {
        p->at = start;
        return zone(p);
    }
    return false;
}

static bool epoch(struct parse *p) {
    char *end;
    p->epoch = strtoll(p->at + 1, &end, 10);
    if (end == p->at + 1) {
        return false;
    }
    if (*end == '.') {
        end = read_fraction(p, end + 1);
    }
    time_t t = (time_t)p->epoch;
    gmtime_r(&t, &p->tm);
    p->has_date = p->has_time = true;
    p->at = end;
    return true;
}

bool tool_date(const char *text, struct timespec now, struct timespec *ret) {
    struct parse p = {.at = text, .weekday = -1};
    time_t base = now.tv_sec;
    gmtime_r(&base, &p.tm);
    p.nanoseconds = now.tv_nsec;
    bool is_relative_only = true;
    for (;;) {
        p.at += strspn(p.at, " ,\t\n");
        if (!*p.at) {
            break;
        }
        bool is_right = *p.at == '@'                    ? epoch(&p)
                        : isalpha((unsigned char)*p.at) ? word(&p)
                                                        : number(&p);
        if (!is_right) {
            return false;
        }
    }
    is_relative_only = !p.has_date && !p.has_time && p.weekday < 0;
    bool is_empty = !*text;
    if (((p.has_date || p.weekday >= 0) && !p.has_time) || is_empty) {
        p.tm.tm_hour = p.tm.tm_min = p.tm.tm_sec = 0;
    }
    if (!is_relative_only && *text != '@' && !strchr(text, '.')) {
        p.nanoseconds = 0;
    }
    p.tm.tm_isdst = 0;
    time_t t = timegm(&p.tm);
    if (p.weekday >= 0 && !p.has_date) {
        struct tm tm;
        gmtime_r(&t, &tm);
        int more = (p.weekday - tm.tm_wday + 7) % 7;
        if (p.weekday_more > 0) {
            more += more ? 0 : 7;
        } else if (p.weekday_more < 0) {
            more -= 7;
        }
        t += (time_t)more * 86400;
    }
    ret->tv_sec = (time_t)((long long)t + p.seconds_more - p.zone);
    ret->tv_nsec = (long)p.nanoseconds;
    return true;
}

// strftime() with GNU's %N, %s, %:z, and the flags - _ 0 ^ # in front of a letter
static void put(const char *format, struct timespec t) {
    struct tm tm;
    gmtime_r(&t.tv_sec, &tm);
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            putchar(*f);
            continue;
        }
        char flag = 0, text[200], one[4] = {'%', 0, 0, 0};
        const char *start = f++;
        for (; *f && strchr("-_0^#", *f); f++) {
            flag = *f;
        }
        int width = (int)strtol(f, (char **)&f, 10);
        if (*f == 'N') {
            snprintf(text, sizeof text, "%09ld", t.tv_nsec);
            printf("%.*s", width > 0 && width < 9 ? width : 9, text);
            continue;
        }
        if (*f == 's') {
            printf("%lld", (long long)t.tv_sec);
            continue;
        }
        if (*f == ':' && f[1] == 'z') {
            fputs("+00:00", stdout);
            f++;
            continue;
        }
        if (*f == 'z' || *f == 'Z') {
            fputs(*f == 'z' ? "+0000" : "UTC", stdout);
            continue;
        }
        if (*f == 'P') {
            fputs(tm.tm_hour < 12 ? "am" : "pm", stdout);
            continue;
        }
        if (!*f) {
            fputs(start, stdout);
            return;
        }
        one[1] = *f;
        if ((*f == 'E' || *f == 'O') && f[1]) {
            one[1] = *++f;
        }
        if (*f == 'c') {
            strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm);
        } else if (*f == 'q') {
            snprintf(text, sizeof text, "%d", tm.tm_mon / 3 + 1);
        } else if (*f == 'r') {
            strftime(text, sizeof text, "%I:%M:%S %p", &tm);
        } else if (*f == 'k' || *f == 'l') {
            snprintf(text, sizeof text, "%2d", *f == 'k' ? tm.tm_hour : (tm.tm_hour + 11) % 12 + 1);
        } else if (!strftime(text, sizeof text, one, &tm)) {
            *text = 0;
        }
        char *shown = text;
        size_t zeros = strspn(text, "0 ");
        if (flag == '-' && isdigit((unsigned char)text[strlen(text) - (*text != 0)])) {
            shown = text + (text[zeros] ? zeros : zeros ? zeros - 1 : 0);
        } else if (flag == '_') {
            for (char *s = text; *s == '0' && s[1]; s++) {
                *s = ' ';
            }
        }
        for (char *s = shown; *s; s++) {
            *s = flag == '^'   ? (char)toupper((unsigned char)*s)
                 : flag == '#' ? (char)(isupper((unsigned char)*s) ? tolower((unsigned char)*s)
                                                                   : toupper((unsigned char)*s))
                               : *s;
        }
        fputs(shown, stdout);
    }
    putchar('\n');
}

static const char *iso_format(const char *how) {
    return !how || !strcmp(how, "date") ? "%Y-%m-%d"
           : !strncmp(how, "hour", 4)   ? "%Y-%m-%dT%H%:z"
           : !strncmp(how, "min", 3)    ? "%Y-%m-%dT%H:%M%:z"
           : !strncmp(how, "ns", 2)     ? "%Y-%m-%dT%H:%M:%S,%N%:z"
                                        : "%Y-%m-%dT%H:%M:%S%:z";
}

int date_main(int argc, char **argv) {
    static const struct option longs[] = {{"date", 1, 0, 'd'},      {"utc", 0, 0, 'u'},
                                          {"universal", 0, 0, 'u'}, {"iso-8601", 2, 0, 'I'},
                                          {"rfc-3339", 1, 0, '3'},  {"rfc-email", 0, 0, 'R'},
                                          {"reference", 1, 0, 'r'}, {"file", 1, 0, 'f'},
                                          {"set", 1, 0, 's'},       {0}};
    const char *format = "%a %b %e %H:%M:%S %Z %Y", *when = NULL, *list = NULL;
    struct timespec now, t;
    struct stat st;
    tool_now(&now);
    t = now;
    for (int c; (c = getopt_long(argc, argv, "d:uI::Rr:f:s:", longs, NULL)) != -1;) {
        switch (c) {
        case 'd':
            when = optarg;
            break;
        case 'I':
            format = iso_format(optarg);
            break;
        case '3':
            format = *optarg == 'd'   ? "%Y-%m-%d"
                     : *optarg == 's' ? "%Y-%m-%d %H:%M:%S%:z"
                                      : "%Y-%m-%d %H:%M:%S.%N%:z";
            break;
        case 'R':
            format = "%a, %d %b %Y %H:%M:%S +0000";
            break;
        case 'r':
            if (stat(optarg, &st)) {
                tool_die(1, "%s: %s", optarg, strerror(errno));
            }
            t = st.st_mtim;
            break;
        case 'f':
            list = optarg;
            break;
        case 's':
            tool_die(1, "cannot set date: Operation not permitted");
        case 'u':
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (argv[optind] && argv[optind][0] == '+') {
        format = argv[optind] + 1;
    } else if (argv[optind]) {
        tool_die(1, "invalid date '%s'", argv[optind]);
    }
    if (when && !tool_date(when, now, &t)) {
        tool_die(1, "invalid date '%s'", when);
    }
    if (!list) {
        put(format, t);
        return 0;
    }
    FILE *file = tool_open(list);
    char *line = NULL;
    size_t cap = 0, n;
    while (file && tool_line(file, &line, &cap, &n, '\n')) {
        line[strcspn(line, "\n")] = 0;
        if (tool_date(line, now, &t)) {
            put(format, t);
        } else {
            tool_warn("invalid date '%s'", line);
        }
    }
    return bx_status;
}
