// talk_go PORT: a server and its client, a goroutine each. The client prints the echo.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func serve(listener net.Listener, done chan<- error) {
	connection, err := listener.Accept()
	if err == nil {
		_, err = io.Copy(connection, connection)
		connection.Close()
	}
	done <- err
}

func ask(address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("hello")); err != nil {
		return err
	}
	text := make([]byte, 5)
	if _, err := io.ReadFull(connection, text); err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}

func main() {
	address := "127.0.0.1:" + os.Args[1]
	listener, err := net.Listen("tcp", address)
	done := make(chan error)
	if err == nil {
		go serve(listener, done)
		err = ask(address)
	}
	if err == nil {
		err = <-done
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(111)
	}
}
