// http_go PORT: a server as the documentation of net/http has it.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func hello(answer http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(answer, "hello")
}

// Ends the server in order when SIGTERM comes: see Server.Shutdown.
func endBySignal(server *http.Server, ended chan<- error) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	patience, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ended <- server.Shutdown(patience)
}

func main() {
	server := &http.Server{Addr: ":" + os.Args[1], Handler: http.HandlerFunc(hello)}
	ended := make(chan error)
	go endBySignal(server, ended)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(111)
	}
	<-ended
}
