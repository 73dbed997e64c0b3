//go:build cuda

package driver

//go:generate go run generate.go symbols.h
