#include "base/clock.h"

uint64_t bx_mono_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bx_mono_us(void) {
    return bx_mono_ns() / 1000;
}

uint64_t bx_mono_ms(void) {
    return bx_mono_ns() / 1000000;
}

int64_t bx_wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void bx_time_format(int64_t wall_ms, char out[static 25]) {
    int64_t fraction = wall_ms % 1000;
    if (fraction < 0) {
        fraction += 1000;
    }
    time_t seconds = (time_t)((wall_ms - fraction) / 1000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    if (tm.tm_year < -1900 || tm.tm_year > 8099) { /* four digits or nothing */
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    }
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)fraction);
    memcpy(out, text, 24);
    out[24] = '\0';
}

static bool digits(const char *p, size_t n, int *ret) {
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
        value = value * 10 + (p[i] - '0');
    }
    *ret = value;
    return true;
}

bool bx_time_parse(struct bx_str s, int64_t *ret_wall_ms) {
    struct tm tm = {0};
    int ms = 0;
    bool has_fraction = s.n == 24 && s.p[19] == '.';
    if (!has_fraction && s.n != 20) {
        return false;
    }
    if (s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' ||
        s.p[s.n - 1] != 'Z' || !digits(s.p, 4, &tm.tm_year) || !digits(s.p + 5, 2, &tm.tm_mon) ||
        !digits(s.p + 8, 2, &tm.tm_mday) || !digits(s.p + 11, 2, &tm.tm_hour) ||
        !digits(s.p + 14, 2, &tm.tm_min) || !digits(s.p + 17, 2, &tm.tm_sec) ||
        (has_fraction && !digits(s.p + 20, 3, &ms))) {
        return false;
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return true;
}
