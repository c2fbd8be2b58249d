#include "call_names.h"

#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/sockios.h>
#include <linux/termios.h>

/* Constants of files and descriptors. The kernel's header, because the C library hides O_LARGEFILE,
 * which the kernel sets and programs hand back with F_SETFL; so <fcntl.h> must not come in here. */

/* Flags of several bits come before those whose bits they contain. O_RDONLY is 0 and comes first,
 * so that names_status can go without it. */
static const struct call_name open_rows[] = {
    {CALL_FIELD(O_RDONLY, O_ACCMODE)},
    {CALL_FIELD(O_WRONLY, O_ACCMODE)},
    {CALL_FIELD(O_RDWR, O_ACCMODE)},
    {CALL_NAME(O_CREAT)},
    {CALL_NAME(O_EXCL)},
    {CALL_NAME(O_NOCTTY)},
    {CALL_NAME(O_TRUNC)},
    {CALL_NAME(O_APPEND)},
    {CALL_NAME(O_NONBLOCK)},
    {CALL_NAME(O_SYNC)},
    {CALL_NAME(O_DSYNC)},
    {CALL_NAME(O_TMPFILE)},
    {CALL_NAME(O_DIRECTORY)},
    {CALL_NAME(O_NOFOLLOW)},
    {CALL_NAME(O_DIRECT)},
    {CALL_NAME(O_LARGEFILE)},
    {CALL_NAME(O_NOATIME)},
    {CALL_NAME(O_CLOEXEC)},
    {CALL_NAME(O_PATH)},
    {"O_ASYNC", FASYNC, FASYNC},
};
const struct call_names names_open = {CALL_NAMES(open_rows)};
/* F_SETFL ignores the access mode: its being 0 says nothing. */
const struct call_names names_status = {open_rows + 1, sizeof open_rows / sizeof open_rows[0] - 1};

static const struct call_name pipe_rows[] = {
    {CALL_NAME(O_NONBLOCK)},
    {CALL_NAME(O_DIRECT)},
    {CALL_NAME(O_CLOEXEC)},
#ifdef O_NOTIFICATION_PIPE
    {CALL_NAME(O_NOTIFICATION_PIPE)},
#endif
};
const struct call_names names_pipe = {CALL_NAMES(pipe_rows)};

static const struct call_name descriptor_rows[] = {
    {CALL_NAME(FD_CLOEXEC)},
};
const struct call_names names_descriptor = {CALL_NAMES(descriptor_rows)};

static const struct call_name fcntl_rows[] = {
    {CALL_NAME(F_DUPFD)},         {CALL_NAME(F_GETFD)},      {CALL_NAME(F_SETFD)},
    {CALL_NAME(F_GETFL)},         {CALL_NAME(F_SETFL)},      {CALL_NAME(F_GETLK)},
    {CALL_NAME(F_SETLK)},         {CALL_NAME(F_SETLKW)},     {CALL_NAME(F_SETOWN)},
    {CALL_NAME(F_GETOWN)},        {CALL_NAME(F_SETSIG)},     {CALL_NAME(F_GETSIG)},
    {CALL_NAME(F_SETOWN_EX)},     {CALL_NAME(F_GETOWN_EX)},
#ifdef F_OFD_GETLK
    {CALL_NAME(F_OFD_GETLK)},
#endif
#ifdef F_OFD_SETLK
    {CALL_NAME(F_OFD_SETLK)},
#endif
#ifdef F_OFD_SETLKW
    {CALL_NAME(F_OFD_SETLKW)},
#endif
    {CALL_NAME(F_DUPFD_CLOEXEC)}, {CALL_NAME(F_SETLEASE)},   {CALL_NAME(F_GETLEASE)},
    {CALL_NAME(F_NOTIFY)},        {CALL_NAME(F_SETPIPE_SZ)}, {CALL_NAME(F_GETPIPE_SZ)},
    {CALL_NAME(F_ADD_SEALS)},     {CALL_NAME(F_GET_SEALS)},
};
const struct call_names names_fcntl = {CALL_NAMES(fcntl_rows)};

static const struct call_name ioctl_rows[] = {
    {CALL_NAME(FIONREAD)},      {CALL_NAME(FIONBIO)},      {CALL_NAME(FIOASYNC)},
    {CALL_NAME(FIOCLEX)},       {CALL_NAME(FIONCLEX)},     {CALL_NAME(SIOCATMARK)},
    {CALL_NAME(SIOCOUTQ)},      {CALL_NAME(FIOSETOWN)},    {CALL_NAME(SIOCSPGRP)},
    {CALL_NAME(FIOGETOWN)},     {CALL_NAME(SIOCGPGRP)},    {CALL_NAME(SIOCGIFNAME)},
    {CALL_NAME(SIOCGIFCONF)},   {CALL_NAME(SIOCGIFFLAGS)}, {CALL_NAME(SIOCSIFFLAGS)},
    {CALL_NAME(SIOCGIFADDR)},   {CALL_NAME(SIOCGIFINDEX)}, {CALL_NAME(SIOCGIFMTU)},
    {CALL_NAME(SIOCGIFHWADDR)}, {CALL_NAME(TCGETS)},       {CALL_NAME(TCSETS)},
    {CALL_NAME(TCSETSW)},       {CALL_NAME(TCSETSF)},      {CALL_NAME(TIOCGWINSZ)},
    {CALL_NAME(TIOCSWINSZ)},    {CALL_NAME(TIOCGPGRP)},    {CALL_NAME(TIOCSPGRP)},
    {CALL_NAME(TIOCSCTTY)},     {CALL_NAME(TIOCNOTTY)},    {CALL_NAME(TIOCGSID)},
    {CALL_NAME(TIOCGPTN)},      {CALL_NAME(TIOCSPTLCK)},
};
const struct call_names names_ioctl = {CALL_NAMES(ioctl_rows)};

static const struct call_name unlink_rows[] = {
    {CALL_NAME(AT_REMOVEDIR)},
};
const struct call_names names_unlink = {CALL_NAMES(unlink_rows)};

static const struct call_name exec_rows[] = {
    {CALL_NAME(AT_EMPTY_PATH)},
    {CALL_NAME(AT_SYMLINK_NOFOLLOW)},
};
const struct call_names names_exec = {CALL_NAMES(exec_rows)};

/* Written out: the C library has these beside its own O_ flags only. */
static const struct call_name splice_rows[] = {
    {"SPLICE_F_MOVE", 1, 1},
    {"SPLICE_F_NONBLOCK", 2, 2},
    {"SPLICE_F_MORE", 4, 4},
    {"SPLICE_F_GIFT", 8, 8},
};
const struct call_names names_splice = {CALL_NAMES(splice_rows)};

static const struct call_name close_range_rows[] = {
    {CALL_NAME(CLOSE_RANGE_UNSHARE)},
    {CALL_NAME(CLOSE_RANGE_CLOEXEC)},
};
const struct call_names names_close_range = {CALL_NAMES(close_range_rows)};
