from ems_simulator.main import main

main()
