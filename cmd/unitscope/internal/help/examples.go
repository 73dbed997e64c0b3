package help

// examplesOf are command lines to begin with, shown by the help and the manual of
// a command. A test runs them through the program's own flags.
func examplesOf(name string) []string {
	switch name {
	case "unitscope demo":
		return []string{"unitscope demo", "unitscope demo --quick --preview    # about ten seconds, and the figure in the terminal"}
	case "unitscope train dbn":
		return []string{
			"unitscope train dbn --data mnist:MNIST --layers 500,500,500 --out runs/dbn",
			"# chains that stay near the digits, for `unitscope visualize sample`",
			"unitscope train dbn --persistent --epochs 8 --out runs/dbn",
			"# patches of pictures",
			"unitscope train dbn --data leaves:size=12 --visible gaussian --layers 400,400 --out runs/patches",
		}
	case "unitscope train sdae":
		return []string{
			"unitscope train sdae --data mnist:MNIST --layers 500,500,500 --out runs/sdae",
			"unitscope train sdae --corruption saltpepper --noise 0.2 --out runs/sdae",
			"# after an interruption",
			"unitscope train sdae --data mnist:MNIST --layers 500,500,500 --out runs/sdae --resume",
		}
	case "unitscope finetune":
		return []string{"unitscope finetune --model runs/sdae --data mnist:MNIST --validation 10000 \\", "    --test mnist:MNIST,split=test --out runs/classifier"}
	case "unitscope search":
		return []string{"unitscope search --kind sdae --data digits:n=6000 --trials 10 --out runs/search"}
	case "unitscope look":
		return []string{
			"unitscope look model.onnx --data npz:mine.npz,x=x,y=y --out mine",
			"# parameters alone: what follows each layer but the last is to be said",
			"unitscope look model.pt --activation relu --data mnist:MNIST --out mine",
		}
	case "unitscope visualize ascent":
		return []string{
			"unitscope visualize ascent --model runs/dbn --layer 3 --units 0-35 --out runs/units",
			"# a model that does not say what norm its inputs have",
			"unitscope visualize ascent --model mine.safetensors --data npy:mine.npy --out runs/mine",
			"# pictures of grey levels, and smooth ones",
			"unitscope visualize ascent --model net.onnx --layer 3 --constraint box=0,1 --total-variation 0.2 --out runs/smooth",
			"# what tells two classes apart, and directions in a layer in place of its units",
			"unitscope visualize ascent --model net.onnx --rho 9 --goal \"3:4,3:9*-1\" --out runs/4-not-9",
			"unitscope visualize ascent --model net.onnx --rho 9 --layer 2 --direction directions.npy --out runs/directions",
		}
	case "unitscope visualize sample":
		return []string{"unitscope visualize sample --model runs/dbn --layer 2 --units 0-15 --out runs/samples"}
	case "unitscope visualize combine":
		return []string{"unitscope visualize combine --model runs/dbn --layer 2 --top 50 --out runs/combined"}
	case "unitscope visualize examples":
		return []string{
			"# of the data that the model was trained on, and of others",
			"unitscope visualize examples --model runs/dbn --layer 3 --units 0-15 --out runs/examples",
			"unitscope visualize examples --model runs/dbn --layer 3 --units 0-15 --data mnist:MNIST,split=test --out runs/new",
		}
	case "unitscope analyze restarts":
		return []string{"unitscope analyze restarts --model runs/dbn --control --out runs/modes", "unitscope analyze restarts --ascent runs/units --threshold 0.9 --out runs/modes"}
	case "unitscope analyze selectivity":
		return []string{"unitscope analyze selectivity --model runs/dbn --layer 3 --units 0-99 --out runs/selectivity"}
	case "unitscope analyze compare":
		return []string{"unitscope analyze compare --model runs/dbn --layer 3 --units 0-35 --data mnist:MNIST --out runs/compare"}
	case "unitscope analyze tuning":
		return []string{
			"unitscope analyze tuning --model net.onnx --layer 2 --units 0-35 --data mnist:MNIST --out runs/tuning",
			"unitscope analyze tuning --model runs/dbn --layer 3 --before --out runs/tuning    # of the data it was trained on",
		}
	case "unitscope analyze connections":
		return []string{"unitscope analyze connections --model net.onnx --layer 2 --units 0-35 --out runs/connections"}
	case "unitscope analyze likelihood":
		return []string{"unitscope analyze likelihood --model runs/dbn --data mnist:MNIST --test mnist:MNIST,split=test --out runs/likelihood"}
	case "unitscope figure 1", "unitscope figure 2", "unitscope figure selectivity":
		return []string{
			name + " --dbn runs/dbn --sdae runs/sdae --out runs/figure",
			name + " --model net.onnx --model runs/classifier --rho 9 --out runs/figure",
		}
	case "unitscope figure 3", "unitscope figure 4":
		return []string{name + " --dbn runs/dbn --out runs/figure"}
	case "unitscope paper":
		return []string{
			"unitscope paper --quick --out runs/paper",
			"unitscope paper --digits infmnist:MNIST,n=2500000 --digit-epochs 1 \\", "    --patches patches:IMAGES.mat --out runs/paper",
		}
	case "unitscope report":
		return []string{"unitscope report --out runs-report runs    # all run folders below runs"}
	case "unitscope bench":
		return []string{"unitscope bench --workload ascent-wide,train-rbm", "unitscope bench --peers --json results.json"}
	case "unitscope completion bash":
		return []string{"source <(unitscope completion bash)    # in ~/.bashrc"}
	case "unitscope completion zsh":
		return []string{"source <(unitscope completion zsh)    # in ~/.zshrc, after compinit"}
	case "unitscope completion fish":
		return []string{"unitscope completion fish >~/.config/fish/completions/unitscope.fish"}
	case "unitscope manual":
		return []string{"unitscope manual | man -l -", "unitscope manual >~/.local/share/man/man1/unitscope.1"}
	case "unitscope devices", "unitscope version":
		return []string{name}
	}
	return nil
}
