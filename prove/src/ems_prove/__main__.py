from ems_prove.main import main

main()
