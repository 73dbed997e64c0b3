package main

// The CUDA device; in a program built without it, what --device cuda says.
import _ "github.com/unitscope/unitscope/gpu"
