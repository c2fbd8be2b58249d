/* closes_streams: closes its three standard streams and sleeps. */
#include <unistd.h>

int main(void)
{
    for (int stream = 0; stream < 3; stream++)
        close(stream);
    for (;;)
        pause();
}
