/* axis.c - from values to positions: ranges, ticks, and numbers as people write them. */
#include "plot/axis.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double largest = 1e300;
const Range cn_range_empty = { DBL_MAX, -DBL_MAX };

bool cn_value_shows(double v, bool log)
{
    return fabs(v) <= largest && (!log || v > 1e-300); /* NaN fails the comparison */
}

void cn_range_see(Range *r, double v, bool log)
{
    if (!cn_value_shows(v, log)) return;
    r->lo = fmin(r->lo, v);
    r->hi = fmax(r->hi, v);
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Writes v with exactly `decimals` digits after the point. printf would use the locale's point:
   the digits are printed as one integer; |v| * 10^decimals must be below 1e18. */
static void fixed(char out[NUMBER_ROOM], double v, int decimals)
{
    long long scaled = llround(fabs(v) * pow(10, decimals));
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%0*lld", decimals + 1, scaled);
    const char *sign = v < 0 && scaled ? "-" : "";
    snprintf(out, NUMBER_ROOM, "%s%.*s%s%s", sign, n - decimals, digits, decimals ? "." : "",
             digits + n - decimals);
}

static void drop_zeros(char *number)
{
    if (!strchr(number, '.')) return;
    char *end = number + strlen(number);
    while (end[-1] == '0') end--;
    if (end[-1] == '.') end--;
    *end = 0;
}

static int exponent_of(double v)
{
    return (int)floor(log10(v) + 1e-9);
}

static void scientific(char out[NUMBER_ROOM], double v, int exponent, int decimals)
{
    char mantissa[NUMBER_ROOM];
    double shifted = v / pow(10, exponent);
    if (fabs(shifted) >= 10 - 0.5 * pow(10, -decimals)) { /* would be printed as 10 */
        shifted /= 10;
        exponent++;
    }
    fixed(mantissa, shifted, decimals);
    drop_zeros(mantissa);
    snprintf(out, NUMBER_ROOM, "%.24se%d", mantissa, exponent);
}

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void cn_number_format(char out[NUMBER_ROOM], double v, double step, double size)
{
    if (fabs(v) < step / 1000) {
        snprintf(out, NUMBER_ROOM, "0");
        return;
    }
    int top = exponent_of(size), low = exponent_of(step);
    bool short_enough = top < 6 || (top < 12 && top - low > 6);
    if (low >= -4 && short_enough) fixed(out, v, clamp(-low, 0, 4));
    else scientific(out, v, exponent_of(fabs(v)), clamp(exponent_of(fabs(v)) - low, 0, 15));
}

void cn_number_short(char out[NUMBER_ROOM], double v, int digits)
{
    if (!cn_value_shows(v, false)) {
        snprintf(out, NUMBER_ROOM, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
        return;
    }
    if (fabs(v) < 1e-300) {
        snprintf(out, NUMBER_ROOM, "0");
        return;
    }
    int top = exponent_of(fabs(v));
    if (top < -4 || top >= 7) {
        scientific(out, v, top, digits - 1);
        return;
    }
    fixed(out, v, clamp(digits - 1 - top, 0, 10));
    drop_zeros(out);
}

/* 10 to the k-th, in superscripts. */
static void power_of_ten(char out[NUMBER_ROOM], int k)
{
    static const char *const superscript[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    char digits[12];
    snprintf(digits, sizeof digits, "%d", k < 0 ? -k : k);
    size_t n = (size_t)snprintf(out, NUMBER_ROOM, "%s", k < 0 ? "10⁻" : "10");
    for (const char *d = digits; *d && n < NUMBER_ROOM; d++)
        n += (size_t)snprintf(out + n, NUMBER_ROOM - n, "%s", superscript[*d - '0']);
}

/* ---- ticks -------------------------------------------------------------------------------- */

static void add_tick(Axis *a, double v)
{
    if (a->n < MAX_TICKS) a->tick[a->n++] = v;
}

/* The least of 1, 2, 5 times a power of ten that is at least `raw`. */
static double nice_step(double raw)
{
    double power = pow(10, exponent_of(raw));
    for (int i = 0; i < 3; i++) {
        double step = power * (double[]){ 1, 2, 5 }[i];
        if (step >= raw * (1 - 1e-9)) return step;
    }
    return 10 * power;
}

static void linear_ticks(Axis *a, bool whole, int wanted)
{
    double span = a->hi - a->lo, slack = span * 1e-9;
    double step = nice_step(span / wanted);
    if (whole && step < 1) step = 1;
    double size = fmax(fabs(a->lo + slack), fabs(a->hi - slack));
    for (double i = ceil((a->lo - slack) / step); i * step <= a->hi + slack; i++) {
        if (a->n == MAX_TICKS) break;
        cn_number_format(a->label[a->n], i * step, step, size);
        add_tick(a, i * step);
    }
}

/* Powers of ten, every one or every few of them. */
static void decade_ticks(Axis *a, double decades, int wanted)
{
    int stride = (int)ceil(decades / wanted);
    int first = (int)ceil(log10(a->lo) - 1e-9), last = (int)floor(log10(a->hi) + 1e-9);
    bool plain = first >= -3 && last <= 4;
    for (int k = first; k <= last && a->n < MAX_TICKS; k++) {
        if (k % stride) continue;
        if (plain) cn_number_short(a->label[a->n], pow(10, k), 1);
        else power_of_ten(a->label[a->n], k);
        add_tick(a, pow(10, k));
    }
}

static void ticks_125(Axis *a)
{
    for (int k = exponent_of(a->lo); k <= exponent_of(a->hi); k++) {
        for (int i = 0; i < 3; i++) {
            double v = pow(10, k) * (double[]){ 1, 2, 5 }[i];
            if (v < a->lo * (1 - 1e-9) || v > a->hi * (1 + 1e-9) || a->n == MAX_TICKS) continue;
            cn_number_short(a->label[a->n], v, 1);
            add_tick(a, v);
        }
    }
}

static void log_ticks(Axis *a, int wanted)
{
    double decades = log10(a->hi) - log10(a->lo);
    if (decades > 2) decade_ticks(a, decades, wanted);
    else if (decades > 0.8) ticks_125(a);
    else linear_ticks(a, false, wanted);
}

/* ---- ranges ------------------------------------------------------------------------------- */

/* A range that can be drawn: not empty, and wider than rounding errors. */
static Range widened(Range r, bool log)
{
    if (r.lo > r.hi) return log ? (Range){ 1, 10 } : (Range){ 0, 1 };
    double size = fmax(fabs(r.lo), fabs(r.hi));
    if (r.hi - r.lo > 1e-12 * size && r.hi - r.lo > 1e-290) return r;
    if (log) return (Range){ r.lo / 2, r.hi * 2 };
    double half = size > 1e-280 ? size * 0.1 : 1;
    return (Range){ r.lo - half, r.hi + half };
}

static void set_limits(Axis *a, Range r, double margin)
{
    if (a->log) {
        double factor = pow(10, margin * (log10(r.hi) - log10(r.lo)));
        a->lo = r.lo / factor;
        a->hi = r.hi * factor;
    } else {
        a->lo = r.lo - margin * (r.hi - r.lo);
        a->hi = r.hi + margin * (r.hi - r.lo);
    }
}

void cn_axis_init(Axis *a, Range data, double margin, bool log, bool whole, int wanted)
{
    a->log = log;
    a->n = 0;
    set_limits(a, widened(data, log), margin);
    wanted = clamp(wanted, 1, MAX_TICKS - 4);
    if (log) log_ticks(a, wanted);
    else linear_ticks(a, whole, wanted);
}

double cn_axis_at(const Axis *a, double v)
{
    if (!a->log) return (v - a->lo) / (a->hi - a->lo);
    return (log10(v) - log10(a->lo)) / (log10(a->hi) - log10(a->lo));
}
