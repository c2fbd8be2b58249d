#include "call_ioctl.h"

#include <asm/ioctls.h>
#include <linux/sockios.h>

static const struct call_ioctl requests[] = {
    {.request = FIONREAD, .way = WAY_OUT},  {.request = FIONBIO, .way = WAY_IN},
    {.request = FIOASYNC, .way = WAY_IN},   {.request = SIOCATMARK, .way = WAY_OUT},
    {.request = SIOCOUTQ, .way = WAY_OUT},  {.request = FIOSETOWN, .way = WAY_IN},
    {.request = SIOCSPGRP, .way = WAY_IN},  {.request = FIOGETOWN, .way = WAY_OUT},
    {.request = SIOCGPGRP, .way = WAY_OUT}, {.request = TIOCGPGRP, .way = WAY_OUT},
    {.request = TIOCSPGRP, .way = WAY_IN},  {.request = TIOCGSID, .way = WAY_OUT},
    {.request = TIOCGPTN, .way = WAY_OUT},  {.request = TIOCSPTLCK, .way = WAY_IN},
};

const struct call_ioctl *ioctl_find(uint64_t request)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (requests[i].request == (uint32_t)request)
            return &requests[i];
    return NULL;
}
