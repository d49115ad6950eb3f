"""Where tracks are worked on, behind the interface of `concurrent.futures`: processes of this machine, Dask."""
