
#include <eml_net.h>
static const float mynet_layer_0_biases[16] = { -0.415695f, 0.203334f, -0.043803f, -0.153130f, 0.361480f, -0.448379f, -0.337220f, -0.354902f, 0.053377f, 0.006717f, 0.467298f, -0.233840f, 0.275329f, 0.105741f, -0.047600f, 0.404194f };
static const float mynet_layer_0_weights[64] = { -0.221571f, -0.142485f, 0.409158f, 0.466719f, 0.254859f, -0.083370f, 0.213396f, -0.503909f, -0.072643f, -0.241133f, -0.422594f, 0.333431f, -0.008323f, -0.516697f, -0.315600f, -0.065097f, 0.529142f, 0.301535f, 0.016115f, -0.010084f, 0.232769f, -0.536726f, 0.380026f, -0.482675f, -0.138016f, -0.110560f, 0.478768f, 0.325506f, 0.514624f, 0.168354f, -0.185368f, -0.009812f, -0.035375f, -0.440641f, -0.145677f, 0.527947f, 0.010260f, -0.325320f, -0.304888f, -0.122010f, -0.424577f, -0.412391f, 0.253205f, 0.294779f, 0.543669f, 0.023874f, 0.513619f, 0.447681f, -0.071854f, -0.005793f, 0.504366f, -0.209830f, -0.154160f, 0.138576f, -0.014533f, 0.084874f, 0.315610f, 0.505886f, -0.485857f, 0.221871f, -0.137712f, -0.054487f, -0.102156f, -0.356034f };
static const float mynet_layer_1_biases[3] = { -0.238178f, 0.274440f, -0.136099f };
static const float mynet_layer_1_weights[48] = { 0.389834f, 0.416366f, 0.420430f, 0.346061f, -0.229331f, -0.263878f, 0.237250f, -0.447801f, -0.103120f, -0.322630f, -0.543137f, 0.093868f, 0.320256f, -0.391357f, 0.516608f, -0.097474f, -0.108884f, -0.247856f, 0.505473f, -0.251409f, -0.064672f, -0.021133f, 0.020148f, -0.359019f, -0.404461f, 0.330513f, 0.540524f, 0.256009f, 0.559900f, -0.071158f, 0.133082f, -0.395700f, 0.479850f, -0.502182f, -0.237778f, -0.194313f, -0.523093f, -0.378798f, -0.441725f, 0.495893f, -0.499041f, -0.186581f, 0.412124f, 0.467545f, -0.186665f, 0.205281f, -0.151956f, 0.102173f };
static float mynet_buf1[16];
static float mynet_buf2[16];
static const EmlNetLayer mynet_layers[2] = { 
{ 16, 4, mynet_layer_0_weights, mynet_layer_0_biases, EmlNetActivationRelu }, 
{ 3, 16, mynet_layer_1_weights, mynet_layer_1_biases, EmlNetActivationSoftmax } };
static EmlNet mynet = { 2, mynet_layers, mynet_buf1, mynet_buf2, 16 };

    int32_t
    mynet_predict(const float *features, int32_t n_features)
    {
        return eml_net_predict(&mynet, features, n_features);
    }
    

    int32_t
    mynet_regress(const float *features, int32_t n_features, float *out, int32_t out_length)
    {
        return eml_net_regress(&mynet, features, n_features, out, out_length);
    }
    

    float
    mynet_regress1(const float *features, int32_t n_features)
    {
        return eml_net_regress1(&mynet, features, n_features);
    }
    