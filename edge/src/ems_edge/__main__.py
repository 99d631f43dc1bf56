from ems_edge.main import main

main()
