"""Studies: grids of settings painted here or on a cluster, and measures to judge pictures by."""

from nst_tutorial.study.measures import blind_pairs as blind_pairs
from nst_tutorial.study.measures import content_distance as content_distance
from nst_tutorial.study.measures import frechet_distance as frechet_distance
from nst_tutorial.study.measures import luck as luck
from nst_tutorial.study.measures import self_similarity as self_similarity
from nst_tutorial.study.measures import style_distance as style_distance
